"""The report as files: a page with plots and tables, and a sheet with all numbers."""
