"""The bundled demonstration study: texts of our own and simulated past ratings."""
