"""Gates before answers reach a study: what is found is shown to the lead, who decides."""
