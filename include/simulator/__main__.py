import sys

from include.simulator.command import main

sys.exit(main())
