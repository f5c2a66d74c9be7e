#!/bin/sh
# Deploys the contracts as the first development account, gives the others tokens, and keeps running. Every transaction
# is recorded next to the chain's state, so that deploying continues after an interruption at any moment.
set -eu
umask 077
export INSITU_HOME=/var/lib/insitu-chain/deployer INSITU_CHAIN__RPC_URL=http://127.0.0.1:8545
# Everyone knows this key, so a password protects nothing; `chain deploy` signs with key files.
export INSITU_KEY_PASSWORD=known-to-everybody INSITU_ACCOUNT=deployer
insitu() { python3 -m insitu "$@"; }

until insitu chain check >/tmp/check 2>&1; do
    [ -e "$INSITU_HOME/keys/deployer.json" ] \
        || echo ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80 | insitu keys import deployer -
    insitu chain deploy --yes || sleep 1
done
# provider, owner, second-owner, consumer, second-consumer, relayer
insitu chain fund --yes --amount 10000 \
    0x70997970C51812dc3A010C7d01b50e0d17dc79C8 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC \
    0x90F79bf6EB2c4f870365E785982E1f101E93b906 0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65 \
    0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc 0x976EA74026E726554dB657fA54763abd0C3a0aa9
touch /tmp/deployed
exec sleep infinity
