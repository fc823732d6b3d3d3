"""A webhook: the alert as JSON, by POST."""

from __future__ import annotations

from memdash.errors import HookError, ProbeError
from memdash.hooks.alert import Alert
from memdash.network.address import Address

__all__ = ["Webhook"]


class Webhook:
    """Posts each alert to ``address``, and wants an answer within ``timeout_s`` seconds.

    Its URL may hold a secret, as those of chat servers do: only the server is ever named.
    """

    def __init__(self, address: Address, timeout_s: float) -> None:
        from memdash.network.client import Client  # http.client takes 10 ms
        from memdash.network.wire import Patience

        self._address = address
        self._client = Client(address, Patience(connect_s=timeout_s, read_s=timeout_s, total_s=timeout_s))
        self.name = f"webhook {address.server}"

    def tell(self, alert: Alert) -> None:
        """Post it. Raises HookError for any other answer than success; so for a redirect, which is not followed."""
        from memdash.exports.alert import alert_line

        body = alert_line(alert.target, alert.at, alert.transition, alert.words)
        try:
            self._client.post(body, "application/json")
        except ProbeError as error:
            raise HookError(error.what.replace(self._address.url, self._address.server)) from None

    def cancel(self) -> None:
        """Break off what is under way, and post no more."""
        self._client.cancel()
