"""Exports: tables and views as files of other tools, and articles as front-matter files again.

A request becomes one query per relation (`request.py`); each format has a module; `compose.py` knows them all.
"""
