"""Reports: what editors read, from the views of `sql/reports/`.

selection   which articles count
contents    which views a report shows, in which order, with which picture
figures     the views' rows
terminal, text, page   the same figures for a terminal, as Markdown, CSV or JSON, and as one HTML page
"""
