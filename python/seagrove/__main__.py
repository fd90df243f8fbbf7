"""`python -m seagrove` is the command `seagrove`."""

import sys

from seagrove.tools.cli import main

sys.exit(main())
