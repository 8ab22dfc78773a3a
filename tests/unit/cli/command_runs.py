"""The inventory that commands are run with in memory; conftest.py has the fixtures that run them."""

import sites

COMMENTED = sites.an_inventory_text().replace("  hostB: {", "  # grows first\n  hostB: {")
