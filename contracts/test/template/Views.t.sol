// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Agreement, Condition, ConditionState, Settlement, Terms} from "../../src/Agreement.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// agreementId(terms)
/// ├── it is the EIP-712 digest of the terms
/// └── it changes with every single term
///
/// settlementDigest(agreementId, settlement)
/// └── it is the EIP-712 digest of settlement and agreement
///
/// conditionId(agreementId, condition)
/// └── it is keccak256 of agreement, contract and condition
///
/// getAgreement(agreementId)
/// ├── given the agreement is unknown, it is all zero
/// └── it shows what is stored, deadlines or not
///
/// getConditionState(terms, condition)
/// ├── given the agreement is unknown, it is Uninitialized
/// ├── given the agreement is created, it is Unfulfilled until the deadline and Aborted after it
/// ├── given the agreement is locked, it is Unfulfilled before the grant deadline and Aborted from it on
/// ├── given the agreement is open, it is Unfulfilled before the settle deadline and Aborted from it on
/// └── given a condition is fulfilled or aborted, it stays so
///
/// isExecutionSettled(agreementId, index)
/// └── it is true for settled executions only, in the word and beyond it
contract ViewsTest is World {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    function test_AgreementId_ItIsTheDigestOfTheTerms() public {
        Terms memory t = _terms();
        bytes32 typeHash = keccak256(
            "Terms(bytes32 seed,bytes32 did,bytes32 inputsHash,bytes32 workflowId,bytes32 workflowHash,address consumer,address provider,uint32 serviceIndex,uint40 deadline,uint32 grantTimeout,uint32 timeout,uint32 settleTimeout,uint256[] amounts,address[] receivers)"
        );
        bytes memory first =
            abi.encode(typeHash, t.seed, t.did, t.inputsHash, t.workflowId, t.workflowHash, t.consumer, t.provider);
        bytes memory second = abi.encode(
            t.serviceIndex,
            t.deadline,
            t.grantTimeout,
            t.timeout,
            t.settleTimeout,
            keccak256(abi.encode(t.amounts[0], t.amounts[1])),
            keccak256(abi.encode(t.receivers[0], t.receivers[1]))
        );
        vm.assertEq(template.agreementId(t), _digest(keccak256(bytes.concat(first, second))));
    }

    function test_AgreementId_ItChangesWithEverySingleTerm() public {
        Terms memory t = _terms();
        bytes32 id = template.agreementId(t);
        bytes memory encoded = abi.encode(t);
        // Words 1 to 12 are the fixed terms; 13 and 14 point to the split; 16, 17 and 19, 20 are the split.
        uint256[16] memory words = [uint256(1), 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 17, 19, 20];
        for (uint256 i = 0; i < words.length; ++i) {
            bytes memory changed = bytes.concat(encoded);
            changed[32 * words[i] + 31] = bytes1(uint8(changed[32 * words[i] + 31]) ^ 1);
            bytes32 other = template.agreementId(abi.decode(changed, (Terms)));
            vm.assertNotEq(other, id, "a changed term gives another agreement");
        }
        t.amounts = new uint256[](0);
        t.receivers = new address[](0);
        vm.assertNotEq(template.agreementId(t), id, "a missing split gives another agreement");
    }

    function test_SettlementDigest_ItIsTheDigestOfSettlementAndAgreement() public view {
        Settlement memory s = Settlement({index: 7, charge: 5 ether, receiptHash: RECEIPT, last: true});
        bytes32 typeHash = keccak256(
            "Settlement(bytes32 agreementId,uint32 index,uint128 charge,bytes32 receiptHash,bool last)"
        );
        bytes32 id = keccak256("agreement");
        bytes32 structHash = keccak256(abi.encode(typeHash, id, s.index, s.charge, s.receiptHash, s.last));
        vm.assertEq(template.settlementDigest(id, s), _digest(structHash));
    }

    function test_ConditionId_ItIsTheHashOfAgreementContractAndCondition() public view {
        bytes32 id = keccak256("agreement");
        for (uint8 c = 0; c < 3; ++c) {
            bytes32 expected = keccak256(abi.encode(id, address(template), c));
            vm.assertEq(template.conditionId(id, Condition(c)), expected);
        }
    }

    function test_GetAgreement_GivenItIsUnknown_ItIsAllZero() public view {
        Agreement memory empty;
        vm.assertEq(keccak256(abi.encode(template.getAgreement(keccak256("none")))), keccak256(abi.encode(empty)));
    }

    function test_GetAgreement_ItShowsWhatIsStored() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        _settle(t, _charge(63, 2 ether));
        vm.warp(_now() + 1000 days);
        Agreement memory a = template.getAgreement(id);
        Agreement memory expected = Agreement({
            settled: 2 ether,
            start: uint40(START),
            lockReward: ConditionState.Fulfilled,
            computeExecution: ConditionState.Fulfilled,
            escrowReward: ConditionState.Unfulfilled,
            closed: false
        });
        vm.assertEq(keccak256(abi.encode(a)), keccak256(abi.encode(expected)));
    }

    function test_GetConditionState_GivenItIsUnknown_ItIsUninitialized() public {
        _assertConditions(_terms(), 0, 0, 0);
    }

    function test_GetConditionState_GivenItIsCreated_TheDeadlineAbortsAll() public {
        Terms memory t = _terms();
        _create(t);
        vm.warp(t.deadline);
        _assertConditions(t, 1, 1, 1);
        vm.warp(uint256(t.deadline) + 1);
        _assertConditions(t, 3, 3, 3);
    }

    function test_GetConditionState_GivenItIsLocked_TheGrantDeadlineAborts() public {
        Terms memory t = _terms();
        _lock(t);
        vm.warp(START + t.grantTimeout - 1);
        _assertConditions(t, 2, 1, 1);
        vm.warp(START + t.grantTimeout);
        _assertConditions(t, 2, 3, 3);
    }

    function test_GetConditionState_GivenItIsOpen_TheSettleDeadlineAborts() public {
        Terms memory t = _terms();
        _open(t);
        vm.warp(START + t.timeout + t.settleTimeout - 1);
        _assertConditions(t, 2, 2, 1);
        vm.warp(START + t.timeout + t.settleTimeout);
        _assertConditions(t, 2, 2, 3);
    }

    function test_GetConditionState_GivenItIsFinal_ItStaysSo() public {
        Terms memory paid = _terms();
        _paid(paid);
        Terms memory refused = _terms();
        _refunded(refused);
        Terms memory cancelled = _terms();
        _cancelled(cancelled);
        vm.warp(START + 1000 days);
        _assertConditions(paid, 2, 2, 2);
        _assertConditions(refused, 2, 3, 3);
        _assertConditions(cancelled, 3, 3, 3);
    }

    function test_IsExecutionSettled_ItIsTrueForSettledExecutionsOnly() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        uint32[4] memory settled = [uint32(0), 63, 64, 65_535];
        for (uint256 i = 0; i < settled.length; ++i) {
            _settle(t, _charge(settled[i], 0));
        }
        uint32[8] memory asked = [uint32(0), 1, 62, 63, 64, 65, 65_535, 65_536];
        bool[8] memory expected = [true, false, false, true, true, false, true, false];
        for (uint256 i = 0; i < asked.length; ++i) {
            vm.assertEq(template.isExecutionSettled(id, asked[i]), expected[i], "settled");
        }
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                DOMAIN, keccak256("ServiceExecutionTemplate"), keccak256("1"), block.chainid, address(template)
            )
        );
        return keccak256(abi.encodePacked("\x19\x01", domain, structHash));
    }

    function _assertConditions(Terms memory t, uint8 lock, uint8 compute, uint8 escrow) private view {
        vm.assertEq(uint256(template.getConditionState(t, Condition.LockReward)), lock, "lock");
        vm.assertEq(uint256(template.getConditionState(t, Condition.ComputeExecution)), compute, "compute");
        vm.assertEq(uint256(template.getConditionState(t, Condition.EscrowReward)), escrow, "escrow");
    }
}
