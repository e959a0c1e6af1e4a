"""The tests: unit, db, services, app, browser, training, docs."""
