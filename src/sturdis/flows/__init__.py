"""One verb a file: facts, decision, action, report."""
