"""`python -m tapir` is the `tapir` command."""

import sys

from tapir.cli import main

sys.exit(main())
