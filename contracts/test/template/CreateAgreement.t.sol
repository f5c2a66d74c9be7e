// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Agreement, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {AgreementStoreManager} from "../../src/AgreementStoreManager.sol";
import {Wallet} from "../support/Wallet.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// createAgreement(terms, consumerSignature)
/// ├── when the caller is the consumer
/// │   ├── it stores the agreement as created now
/// │   ├── it emits AgreementCreated with all terms
/// │   ├── it moves no money
/// │   └── given the same terms were created before
/// │       └── it reverts AgreementExists
/// ├── when somebody else calls
/// │   ├── with the signature of the consumer
/// │   │   └── it creates
/// │   ├── with the ERC-1271 signature of a contract that is the consumer
/// │   │   └── it creates
/// │   ├── without a signature
/// │   │   └── it reverts InvalidSignature
/// │   └── with the signature of somebody else
/// │       └── it reverts InvalidSignature
/// ├── at the deadline
/// │   └── it creates
/// ├── after the deadline
/// │   └── it reverts DeadlinePassed
/// ├── when a time span is out of range
/// │   ├── without a timeout, it reverts TimeoutOutOfRange
/// │   ├── with a timeout of more than a leap year, it reverts TimeoutOutOfRange
/// │   ├── without a grant timeout, it reverts TimeoutOutOfRange
/// │   ├── with a grant timeout beyond the timeout, it reverts TimeoutOutOfRange
/// │   └── with a settle timeout of more than a leap year, it reverts TimeoutOutOfRange
/// ├── when all time spans are the longest
/// │   └── it creates
/// ├── when the split is malformed
/// │   ├── with fewer amounts than receivers, it reverts LengthMismatch
/// │   ├── with nine receivers, it reverts TooMany
/// │   ├── with the zero address, it reverts InvalidReceiver
/// │   ├── with the escrow itself as receiver, it reverts InvalidReceiver
/// │   ├── with a zero amount, it reverts ZeroAmount
/// │   ├── with an amount of 2¹²⁸, it reverts TotalTooLarge
/// │   └── with a total of 2¹²⁸, it reverts TotalTooLarge
/// ├── when the total is 2¹²⁸ − 1 over eight receivers
/// │   └── it creates
/// ├── when the service is free
/// │   └── it creates
/// ├── given the template is not approved
/// │   └── it reverts TemplateNotApproved
/// ├── given the provider is the owner of the asset
/// │   └── it creates
/// ├── given the provider is a stranger to the asset
/// │   └── it reverts NotDIDProvider
/// └── given the asset is not registered
///     └── it reverts NotDIDProvider
contract CreateAgreementTest is World {
    function test_ItStoresTheAgreementAsCreatedNow() public {
        Terms memory t = _terms();
        bytes32 id = _create(t);

        vm.assertEq(id, template.agreementId(t), "the id is the digest of the terms");
        _assertStates(id, 1, 1, 1);
        Agreement memory a = template.getAgreement(id);
        vm.assertEq(uint256(a.start), _now());
        vm.assertEq(uint256(a.settled), 0);
        vm.assertFalse(a.closed, "closed");
    }

    function test_ItEmitsAgreementCreatedWithAllTerms() public {
        Terms memory t = _terms();
        vm.expectEmit(address(template));
        emit AgreementStoreManager.AgreementCreated(template.agreementId(t), CONSUMER, GATEWAY, t);
        _create(t);
    }

    function test_ItMovesNoMoney() public {
        uint256 before = token.balanceOf(CONSUMER);
        _create(_terms());
        vm.assertEq(token.balanceOf(CONSUMER), before);
        _assertBalances(0, 0, 0);
    }

    function test_WhenTheSameTermsWereCreatedBefore_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _create(t);
        vm.expectRevert(abi.encodeWithSelector(AgreementExists.selector, id));
        _create(t);
    }

    function test_WithTheSignatureOfTheConsumer_AnybodyCreates() public {
        Terms memory t = _terms();
        bytes memory signature = _signTerms(CONSUMER_KEY, t);
        vm.prank(STRANGER);
        _assertStates(template.createAgreement(t, signature), 1, 1, 1);
    }

    function test_WithTheSignatureOfAContract_AnybodyCreates() public {
        Terms memory t = _terms();
        t.consumer = address(new Wallet(CONSUMER));
        bytes memory signature = _signTerms(CONSUMER_KEY, t);
        vm.prank(STRANGER);
        _assertStates(template.createAgreement(t, signature), 1, 1, 1);
    }

    function test_WithoutSignature_AStrangerCannotCreate() public {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, CONSUMER));
        vm.prank(STRANGER);
        template.createAgreement(t, "");
    }

    function test_WithTheSignatureOfSomebodyElse_ItReverts() public {
        Terms memory t = _terms();
        bytes memory signature = _signTerms(GATEWAY_KEY, t);
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, CONSUMER));
        vm.prank(STRANGER);
        template.createAgreement(t, signature);
    }

    function test_AtTheDeadline_ItCreates() public {
        Terms memory t = _terms();
        vm.warp(t.deadline);
        _create(t);
    }

    function test_AfterTheDeadline_ItReverts() public {
        Terms memory t = _terms();
        vm.warp(uint256(t.deadline) + 1);
        vm.expectRevert(abi.encodeWithSelector(DeadlinePassed.selector, uint256(t.deadline) + 1, t.deadline));
        _create(t);
    }

    function test_WithoutATimeout_ItReverts() public {
        Terms memory t = _terms();
        t.timeout = 0;
        _expectTimeoutOutOfRange(t, 0, 1, 366 days);
    }

    function test_WithATimeoutOfMoreThanALeapYear_ItReverts() public {
        Terms memory t = _terms();
        t.timeout = 366 days + 1;
        _expectTimeoutOutOfRange(t, 366 days + 1, 1, 366 days);
    }

    function test_WithoutAGrantTimeout_ItReverts() public {
        Terms memory t = _terms();
        t.grantTimeout = 0;
        _expectTimeoutOutOfRange(t, 0, 1, t.timeout);
    }

    function test_WithAGrantTimeoutBeyondTheTimeout_ItReverts() public {
        Terms memory t = _terms();
        t.grantTimeout = t.timeout + 1;
        _expectTimeoutOutOfRange(t, t.timeout + 1, 1, t.timeout);
    }

    function test_WithASettleTimeoutOfMoreThanALeapYear_ItReverts() public {
        Terms memory t = _terms();
        t.settleTimeout = 366 days + 1;
        _expectTimeoutOutOfRange(t, 366 days + 1, 0, 366 days);
    }

    function test_WithTheLongestTimes_ItCreates() public {
        Terms memory t = _terms();
        (t.timeout, t.grantTimeout, t.settleTimeout, t.deadline) = (366 days, 366 days, 366 days, type(uint40).max);
        _create(t);
    }

    function test_WithFewerAmountsThanReceivers_ItReverts() public {
        Terms memory t = _terms();
        t.amounts = new uint256[](1);
        t.amounts[0] = PRICE;
        _expectRefused(t, abi.encodeWithSelector(LengthMismatch.selector, 1, 2));
    }

    function test_WithNineReceivers_ItReverts() public {
        Terms memory t = _terms();
        _spread(t, 9, 1);
        _expectRefused(t, abi.encodeWithSelector(TooMany.selector, 9, 8));
    }

    function test_WithTheZeroAddressAsReceiver_ItReverts() public {
        Terms memory t = _terms();
        t.receivers[1] = address(0);
        _expectRefused(t, abi.encodeWithSelector(InvalidReceiver.selector, 1, address(0)));
    }

    function test_WithTheEscrowAsReceiver_ItReverts() public {
        Terms memory t = _terms();
        t.receivers[0] = address(template);
        _expectRefused(t, abi.encodeWithSelector(InvalidReceiver.selector, 0, address(template)));
    }

    function test_WithAZeroAmount_ItReverts() public {
        Terms memory t = _terms();
        t.amounts[1] = 0;
        _expectRefused(t, abi.encodeWithSelector(ZeroAmount.selector, 1));
    }

    function test_WithAnAmountOf128Bits_ItReverts() public {
        Terms memory t = _terms();
        t.amounts[1] = 2 ** 128;
        _expectRefused(t, abi.encodeWithSelector(TotalTooLarge.selector, 2 ** 128, 2 ** 128 - 1));
    }

    function test_WithATotalOf128Bits_ItReverts() public {
        Terms memory t = _terms();
        t.amounts = _split(2 ** 128 - 1, 1);
        _expectRefused(t, abi.encodeWithSelector(TotalTooLarge.selector, 2 ** 128, 2 ** 128 - 1));
    }

    function test_WithTheLargestTotalOverEightReceivers_ItCreates() public {
        Terms memory t = _terms();
        _spread(t, 8, 2 ** 125);
        t.amounts[7] -= 1;
        _create(t);
    }

    function test_WhenTheServiceIsFree_ItCreates() public {
        _assertStates(_create(_freeTerms()), 1, 1, 1);
    }

    function test_GivenTheTemplateIsNotApproved_ItReverts() public {
        vm.prank(ADMIN);
        templates.revokeTemplate(address(template));
        _expectRefused(_terms(), abi.encodeWithSelector(TemplateNotApproved.selector, address(template)));
    }

    function test_GivenTheProviderOwnsTheAsset_ItCreates() public {
        Terms memory t = _terms();
        t.provider = OWNER;
        _create(t);
    }

    function test_GivenTheProviderIsAStranger_ItReverts() public {
        Terms memory t = _terms();
        t.provider = STRANGER;
        _expectRefused(t, abi.encodeWithSelector(NotDIDProvider.selector, did, STRANGER));
    }

    function test_GivenTheAssetIsNotRegistered_ItReverts() public {
        Terms memory t = _terms();
        t.did = keccak256("nothing");
        _expectRefused(t, abi.encodeWithSelector(NotDIDProvider.selector, t.did, GATEWAY));
    }

    function _spread(Terms memory t, uint256 count, uint256 amount) private pure {
        t.amounts = new uint256[](count);
        t.receivers = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            (t.amounts[i], t.receivers[i]) = (amount, address(uint160(0x1000 + i)));
        }
    }

    function _expectTimeoutOutOfRange(Terms memory t, uint256 actual, uint256 minimum, uint256 maximum) private {
        _expectRefused(t, abi.encodeWithSelector(TimeoutOutOfRange.selector, actual, minimum, maximum));
    }

    function _expectRefused(Terms memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        _create(t);
        _assertStates(template.agreementId(t), 0, 0, 0);
    }
}
