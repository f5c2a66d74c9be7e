// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The three conditions of a service execution agreement, in the order of its document.
enum Condition {
    /// The price is in escrow.
    LockReward,
    /// The provider has granted the execution.
    ComputeExecution,
    /// The price has been released against receipts, or returned.
    EscrowReward
}

/// @notice The life of a condition: only 0 → 1 → {2, 3} ever happens.
enum ConditionState {
    /// The agreement does not exist.
    Uninitialized,
    /// Created and still open.
    Unfulfilled,
    /// Done, forever.
    Fulfilled,
    /// Given up, forever.
    Aborted
}

/// @notice Everything that consumer and provider agree on. The EIP-712 digest of the terms is the agreement's id, so the
/// contract stores none of them: they come with each call and are authenticated by hashing them.
struct Terms {
    /// Random bytes chosen by the consumer: the specification's random serviceAgreementId.
    bytes32 seed;
    /// The asset to compute on.
    bytes32 did;
    /// Hash of the list of all inputs of the workflow, each with the version of its document that was bought.
    bytes32 inputsHash;
    /// The workflow to execute.
    bytes32 workflowId;
    /// Checksum of the version of the workflow's document that was bought.
    bytes32 workflowHash;
    /// The account that pays and may execute.
    address consumer;
    /// The account that grants, executes and settles: owner or provider of the asset when the agreement is created.
    address provider;
    /// Index of the service in the asset's document: the specification's serviceDefinitionId.
    uint32 serviceIndex;
    /// Last second, in Unix time, in which the agreement may be created and locked.
    uint40 deadline;
    /// Seconds after the lock within which the provider may grant.
    uint32 grantTimeout;
    /// Seconds after the lock within which the consumer may execute.
    uint32 timeout;
    /// Seconds after `timeout` within which the provider may still settle.
    uint32 settleTimeout;
    /// Full price in base units of the token, split by receiver; empty if the service is free.
    uint256[] amounts;
    /// The account that gets the i-th amount; `receivers[0]` is the provider's side and keeps what rounding leaves over.
    address[] receivers;
}

/// @notice What the provider charges for one execution of an agreement.
struct Settlement {
    /// Number of the execution in the agreement; each number settles once.
    uint32 index;
    /// What this execution costs, in base units of the token.
    uint128 charge;
    /// Hash of the execution's receipt.
    bytes32 receiptHash;
    /// True closes the agreement and returns the rest to the consumer.
    bool last;
}

/// @notice The consumer's ERC-2612 permit for the template; `deadline` 0 means that there is none.
struct Permit {
    /// Allowance that the consumer signed, in base units of the token.
    uint256 value;
    /// Last second, in Unix time, in which the permit is valid.
    uint256 deadline;
    /// Recovery id of the signature.
    uint8 v;
    /// First half of the signature.
    bytes32 r;
    /// Second half of the signature.
    bytes32 s;
}

/// @notice The part of a batch that belongs to one agreement.
struct Item {
    /// The agreement.
    Terms terms;
    /// Its executions, in the order in which they are charged.
    Settlement[] settlements;
}

/// @notice What the contract stores about an agreement.
struct Agreement {
    /// Charged so far, in base units of the token.
    uint128 settled;
    /// Unix time of the lock, or of the creation until the price is locked; 0 if the agreement is unknown.
    uint40 start;
    /// State of the lock.
    ConditionState lockReward;
    /// State of the grant.
    ConditionState computeExecution;
    /// State of the escrow.
    ConditionState escrowReward;
    /// True after a settlement that was marked as the last one.
    bool closed;
}

/// @notice EIP-712 hashes of the structs that people sign.
library AgreementHashing {
    /// @notice EIP-712 type hash of {Terms}.
    bytes32 internal constant TERMS_TYPEHASH = keccak256(
        "Terms(bytes32 seed,bytes32 did,bytes32 inputsHash,bytes32 workflowId,bytes32 workflowHash,"
        "address consumer,address provider,uint32 serviceIndex,uint40 deadline,uint32 grantTimeout,uint32 timeout,"
        "uint32 settleTimeout,uint256[] amounts,address[] receivers)"
    );

    /// @notice EIP-712 type hash of {Settlement}, together with the agreement that it belongs to.
    bytes32 internal constant SETTLEMENT_TYPEHASH = keccak256(
        "Settlement(bytes32 agreementId,uint32 index,uint128 charge,bytes32 receiptHash,bool last)"
    );

    /// @notice EIP-712 struct hash of terms.
    /// @dev Encoded in two halves, because fifteen words at once exceed the stack when the optimiser is off.
    /// @param terms the terms
    /// @return the struct hash, without the domain
    function hash(Terms calldata terms) internal pure returns (bytes32) {
        bytes memory what = abi.encode(
            TERMS_TYPEHASH,
            terms.seed,
            terms.did,
            terms.inputsHash,
            terms.workflowId,
            terms.workflowHash,
            terms.consumer,
            terms.provider
        );
        bytes memory when = abi.encode(
            terms.serviceIndex,
            terms.deadline,
            terms.grantTimeout,
            terms.timeout,
            terms.settleTimeout,
            keccak256(abi.encodePacked(terms.amounts)),
            keccak256(abi.encodePacked(terms.receivers))
        );
        return keccak256(bytes.concat(what, when));
    }

    /// @notice EIP-712 struct hash of a settlement.
    /// @param settlement the settlement
    /// @param agreementId the agreement that it belongs to
    /// @return the struct hash, without the domain
    function hash(Settlement calldata settlement, bytes32 agreementId) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                SETTLEMENT_TYPEHASH,
                agreementId,
                settlement.index,
                settlement.charge,
                settlement.receiptHash,
                settlement.last
            )
        );
    }

    /// @notice Full price of an agreement, in base units of the token.
    /// @dev Only for terms of an agreement that exists: its creation checked that the sum is below 2¹²⁸.
    /// @param amounts the amounts
    /// @return sum their sum
    function total(uint256[] calldata amounts) internal pure returns (uint256 sum) {
        for (uint256 i = 0; i < amounts.length; ++i) {
            unchecked {
                sum += amounts[i];
            }
        }
    }
}
