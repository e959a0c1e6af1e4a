"""How far raters agree, and how far a machine agrees with them."""
