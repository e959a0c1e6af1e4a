"""What an export of a study is made of: tables, their columns, codebook and signature."""
