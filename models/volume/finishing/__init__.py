"""What follows the network: fusion of neighbours, bounded change, low frequencies, Rician bias."""
