"""Reports: what editors read, from the views of `sql/reports/`.

selection    which articles count
sections     which views a report shows, in which order, with which chart
figures      the rows of the views
near_titles  the relation that Python computes
compose      reports in a format: for a terminal, Markdown, CSV, JSON, or one HTML page
text, page   the writers of these formats
"""
