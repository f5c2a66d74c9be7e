# Targets of the contracts; included by the Makefile of the repository, run from its root.

.PHONY: contracts contracts-vendor check-contracts check-contracts-static test-contracts test-contracts-long contracts-gas

# The toolchain of the lock file.
contracts/node_modules/.package-lock.json: contracts/package.json contracts/package-lock.json
	cd contracts && npm ci --ignore-scripts --no-fund --no-audit
	@touch $@

contracts: contracts/node_modules/.package-lock.json ## compile the contracts
	scripts/contracts build

contracts-vendor: contracts/node_modules/.package-lock.json ## write the vendored ABIs and bytecode
	scripts/contracts vendor

check-contracts: contracts/node_modules/.package-lock.json ## vendored artifacts equal the sources
	scripts/contracts check
