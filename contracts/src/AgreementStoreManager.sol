// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {Agreement, AgreementHashing, Condition, Settlement, Terms} from "./Agreement.sol";
import {AgreementUnknown, InvalidSignature} from "./AgreementErrors.sol";
import {AgreementState, AgreementStates} from "./AgreementState.sol";
import {DIDRegistry} from "./DIDRegistry.sol";
import {TemplateStoreManager} from "./TemplateStoreManager.sol";

/// @title Store of agreements
/// @notice Keeps one word per agreement. An agreement's id is the EIP-712 digest of its terms: unique per chain and
/// contract, impossible for anybody else to take first, and exactly what consumer and provider sign.
abstract contract AgreementStoreManager is EIP712 {
    /// @notice The ERC-20 token that all agreements of this deployment are paid in.
    IERC20 public immutable token;

    /// @notice Where assets and their providers are registered.
    DIDRegistry public immutable didRegistry;

    /// @notice Where this template has to be approved before it accepts agreements.
    TemplateStoreManager public immutable templateStore;

    /// @dev The word of each agreement.
    mapping(bytes32 agreementId => AgreementState) internal _states;

    /// @dev Settled executions that have no bit in the word, 256 per slot.
    mapping(bytes32 agreementId => mapping(uint256 slot => uint256 bits)) private _furtherExecutions;

    /// @notice An agreement was created. This event is the only place on chain that has its terms.
    /// @param agreementId the EIP-712 digest of the terms
    /// @param consumer the account that pays and may execute
    /// @param provider the account that grants and settles
    /// @param terms all terms
    event AgreementCreated(
        bytes32 indexed agreementId, address indexed consumer, address indexed provider, Terms terms
    );

    /// @param token_ the ERC-20 token to pay in; it must not rebase
    /// @param didRegistry_ registry of assets
    /// @param templateStore_ store of templates
    constructor(IERC20 token_, DIDRegistry didRegistry_, TemplateStoreManager templateStore_)
        EIP712("ServiceExecutionTemplate", "1")
    {
        token = token_;
        didRegistry = didRegistry_;
        templateStore = templateStore_;
    }

    /// @notice The id of the agreement with these terms: what both parties sign.
    /// @param terms the terms
    /// @return the EIP-712 digest
    function agreementId(Terms calldata terms) public view returns (bytes32) {
        return _hashTypedDataV4(AgreementHashing.hash(terms));
    }

    /// @notice What a provider signs so that anybody may settle an execution for it.
    /// @param id the agreement
    /// @param settlement the execution
    /// @return the EIP-712 digest
    function settlementDigest(bytes32 id, Settlement calldata settlement) public view returns (bytes32) {
        return _hashTypedDataV4(AgreementHashing.hash(settlement, id));
    }

    /// @notice What is stored about an agreement; all zero if it is unknown.
    /// @param id the agreement
    /// @return its amounts, times and states as stored, without the deadlines that have passed since
    function getAgreement(bytes32 id) external view returns (Agreement memory) {
        AgreementState word = _states[id];
        return Agreement({
            settled: uint128(word.settled()),
            start: uint40(word.start()),
            lockReward: word.state(Condition.LockReward),
            computeExecution: word.state(Condition.ComputeExecution),
            escrowReward: word.state(Condition.EscrowReward),
            closed: word.closed()
        });
    }

    /// @notice True if an execution is settled.
    /// @param id the agreement
    /// @param index number of the execution
    /// @return whether its settlement was accepted
    function isExecutionSettled(bytes32 id, uint32 index) external view returns (bool) {
        if (index < AgreementStates.EXECUTIONS_IN_WORD) return _states[id].executed(index);
        return (_furtherExecutions[id][index / 256] >> (index % 256)) & 1 == 1;
    }

    /// @dev Finds the agreement of the terms, which proves that they are its terms.
    function _find(Terms calldata terms) internal view returns (bytes32 id, AgreementState word) {
        id = agreementId(terms);
        word = _states[id];
        if (!word.exists()) revert AgreementUnknown(id);
    }

    /// @dev Marks an execution beyond the word as settled; returns whether it already was.
    function _markFurtherExecution(bytes32 id, uint256 index) internal returns (bool before) {
        uint256 bits = _furtherExecutions[id][index / 256];
        uint256 bit = 1 << (index % 256);
        before = bits & bit != 0;
        if (!before) _furtherExecutions[id][index / 256] = bits | bit;
    }

    /// @dev Accepts the signer as the caller, or any caller with the signer's signature of the agreement.
    function _authorize(address signer, bytes32 id, bytes calldata signature) internal view {
        if (msg.sender != signer) _requireSignature(signer, id, signature);
    }

    /// @dev Reverts unless the signer has signed (ECDSA with low s, or ERC-1271 if it has code).
    function _requireSignature(address signer, bytes32 digest, bytes calldata signature) internal view {
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) revert InvalidSignature(signer);
    }
}
