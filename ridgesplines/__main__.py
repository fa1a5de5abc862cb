"""python -m ridgesplines"""

from ridgesplines.cli.main import main

if __name__ == "__main__":  # the processes that the demo starts import this file again
    raise SystemExit(main())
