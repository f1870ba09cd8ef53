import sys

from include.local.cli import main

sys.exit(main())
