"""The report for people: figures, pictures, HTML page and PDF of one derived series."""
