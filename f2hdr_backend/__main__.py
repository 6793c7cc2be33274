"""``python -m f2hdr_backend`` is the ``f2hdr`` command."""

from f2hdr_backend.cli.main import main

if __name__ == "__main__":
    main()
