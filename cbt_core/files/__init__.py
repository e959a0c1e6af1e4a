"""Reading and writing the file formats of studies, ratings and exports."""
