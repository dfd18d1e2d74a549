"""Bulletins as pages and workbooks, frozen once written."""
