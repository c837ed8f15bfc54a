"""Write tables and views as files for other tools, and articles as front-matter files again.

`request.py` turns a request into one query per relation, `formats/` holds a module for each format,
and `export.py` connects them.
"""
