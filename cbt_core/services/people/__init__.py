"""People: their accounts, studies and roles, and the sheet that invites them."""
