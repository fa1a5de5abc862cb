"""python -m ridgesplines"""

from ridgesplines.cli import main

raise SystemExit(main())
