"""Commands of the terminal, one module per group: parse, call a service, print."""
