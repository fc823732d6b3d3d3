"""A small web shop with a memory leak, for memdash to watch: ``python -m memdash.commands.pyshop``.

It serves on loopback and is its own only customer. What it does with memory:

    store.py      every visit leaves a basket behind that nothing ever removes: the leak
    catalogue.py  loaded once and held for good: a floor; its offers are made anew in cycles: work for the collector
    cache.py      pages are kept up to a bound: a plateau, and blocks large enough for malloc
    visitor.py    the customer
    shop.py       each page is built from short-lived strings and JSON; now and then a task is left that waits for ever

Lives here: that program and nothing of memdash. May import: the standard library alone.
The leak stops at ``--leak-limit``, so that a forgotten demo does not fill the machine.
"""
