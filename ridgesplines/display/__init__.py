"""How results look: numbers in few digits, tables in a notebook."""
