"""``python -m memdash``."""

import sys

from memdash.cli import main

sys.exit(main())
