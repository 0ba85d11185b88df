"""The domain: clinics, people, requests, scenarios, plans, and the rules and costs that judge them."""
