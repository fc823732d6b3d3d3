"""The shop: answers visits, and keeps its catalogue up to date in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
import time

from memdash.commands.pyshop.cache import Cache
from memdash.commands.pyshop.catalogue import Catalogue, Product
from memdash.commands.pyshop.store import Store

PRODUCTS = 4000
PAGES_KEPT = 60
PAGE_BYTES = 48 * 1024
WATCH_EVERY = 90
RENEW_EVERY_S = 0.5


class Shop:
    """Everything one process of the shop holds."""

    def __init__(self, leak_limit_bytes: int) -> None:
        self._store = Store(leak_limit_bytes)
        self._catalogue = Catalogue(PRODUCTS)
        self._cache = Cache(PAGES_KEPT)
        self._visits = 0
        self._watchers: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to renew the offers."""
        threading.Thread(target=self.renew_offers, name="offers", daemon=True).start()

    def renew_offers(self) -> None:
        """Make the offers anew, for ever."""
        season = 0
        while True:
            time.sleep(RENEW_EVERY_S)
            season += 1
            self._catalogue.renew(season)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and remember who asked."""
        request = await reader.readline()
        self._visits += 1
        if self._store.open(self._visits) and self._visits % WATCH_EVERY == 0:
            self._watchers.add(asyncio.create_task(self.watch_price()))
        body = self.page(request.split()[1].decode())
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async def watch_price(self) -> None:
        """Wait until a price falls, which never happens: tasks pile up."""
        await asyncio.Event().wait()

    def page(self, path: str) -> bytes:
        """The page at ``path``, from the cache or built."""
        page = self._cache.get(path)
        if page is None:
            page = render(self._catalogue.products[int(path.rpartition("/")[2]) % PRODUCTS])
            self._cache.put(path, page)
        return page


def render(product: Product) -> bytes:
    """A page, from short-lived strings."""
    facts = {"name": product.name, "price": product.price, "words": product.words}
    rows = [json.dumps({**facts, "row": row}) for row in range(40)]
    return "\n".join(rows).encode().ljust(PAGE_BYTES, b" ")
