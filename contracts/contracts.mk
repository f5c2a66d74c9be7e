# Targets of the contracts; included by the Makefile of the repository, run from its root.

.PHONY: contracts contracts-vendor contracts-record check-contracts check-contracts-static
.PHONY: test-contracts test-contracts-long

# The toolchain of the lock file.
contracts/node_modules/.package-lock.json: contracts/package.json contracts/package-lock.json
	cd contracts && npm ci --ignore-scripts --no-fund --no-audit
	@touch $@

contracts: contracts/node_modules/.package-lock.json ## compile the contracts
	scripts/contracts build

contracts-vendor: contracts/node_modules/.package-lock.json ## write the vendored ABIs, bytecode and Python bindings
	scripts/contracts vendor
	@scripts/setup check
	scripts/bindings

contracts-record: contracts/node_modules/.package-lock.json ## write the contracts' gas table and test vectors
	scripts/contracts-test record

check-contracts: contracts/node_modules/.package-lock.json ## compare the vendored ABIs and bytecode with the sources
	scripts/contracts check

check-contracts-static: contracts/node_modules/.package-lock.json ## analyse the contracts with slither
	@scripts/setup check
	scripts/contracts-static --again

test-contracts: contracts/node_modules/.package-lock.json ## test the contracts, with a short random run
	scripts/contracts-test run

test-contracts-long: contracts/node_modules/.package-lock.json ## test the contracts with a million random calls
	scripts/contracts-test long
