"""`repair` judged: damaged folders of real servers, and what it keeps of them beside `--fix`."""
