import sys

from include.lab.simulator.command import main

sys.exit(main())
