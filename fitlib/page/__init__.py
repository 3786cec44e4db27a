"""Python in the page: what a cell of a chapter needs, and a session that runs it in the reader's browser."""
