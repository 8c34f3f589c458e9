"""The report of one batch: its verdict for people, as a page and in Markdown, and Evidently's report beside it."""
