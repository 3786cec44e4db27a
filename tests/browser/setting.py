"""What the browser tests share: the rules of axe-core they hold pages to, and a page of figures alone."""

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}">
<head>
<meta charset="utf-8"><title>Figures</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="figures.css">
<style>
body {{ margin: 0; background: {color}; }}
main {{ max-width: 760px; margin: auto; padding: 10px; }}
</style>
</head>
<body><main>{figures}</main>{scripts}<script src="figures.js"></script></body>
</html>"""
