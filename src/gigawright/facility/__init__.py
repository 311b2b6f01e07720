"""What a site's weather, halls and tariff make of a MW of IT: PUE, WUE, sun, wind and price by hour."""
