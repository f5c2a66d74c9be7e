// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Item, Permit, Settlement, Terms} from "../../src/Agreement.sol";
import {HostileToken} from "../support/HostileToken.sol";
import {Registration, Update} from "../../src/RegistryRequests.sol";
import {Requests} from "../support/Requests.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// @notice Measures whole transactions; run it with --isolate, which makes each call a separate transaction.
///
/// Unless a row says "first", everybody involved has held tokens before, the consumer has used a permit before, and
/// another agreement keeps the escrow's balance above zero.
abstract contract GasRecord is World {
    string private constant RECORD = "measured/gas.csv";
    uint256 internal constant BATCH = 20;

    uint256 internal receivers;
    uint256 internal openAgreements;

    function _record(string memory operation) internal {
        _record(operation, vm.lastCallGas().gasTotalUsed);
    }

    function _record(string memory operation, uint256 gasUsed) internal {
        string memory row = string.concat(operation, ",", vm.toString(receivers), ",", vm.toString(openAgreements));
        vm.writeLine(RECORD, string.concat(row, ",", vm.toString(gasUsed)));
    }

    function _recordEach(string memory operation) internal {
        _record(operation, vm.lastCallGas().gasTotalUsed / BATCH);
    }

    /// @dev Terms with as many receivers as the row says.
    function _priced() internal returns (Terms memory t) {
        t = _terms();
        t.deadline = uint40(START + 30 days);
        if (receivers == 2) return t;
        (t.amounts, t.receivers) = (new uint256[](1), new address[](1));
        (t.amounts[0], t.receivers[0]) = (PRICE, GATEWAY);
    }

    function _permit() internal view returns (Permit memory) {
        return _signPermit(CONSUMER_KEY, PRICE, START + 30 days);
    }
}

/// @notice The operations on agreements, each for one and two receivers, with no and with 500 other open agreements.
contract AgreementGasTest is GasRecord {
    function test_OneReceiver() public {
        _measure(1, 0);
    }

    function test_TwoReceivers() public {
        _measure(2, 0);
    }

    function test_OneReceiver_With500Open() public {
        _measure(1, 500);
    }

    function test_TwoReceivers_With500Open() public {
        _measure(2, 500);
    }

    function _measure(uint256 receivers_, uint256 open) private {
        (receivers, openAgreements) = (receivers_, open);
        if (open == 0) _first();
        _warmUp();
        for (uint256 i = 0; i < open; ++i) {
            _open(_priced());
        }
        uint256 base = vm.snapshotState();
        _purchase();
        vm.revertToState(base);
        _furtherSettlements();
        vm.revertToState(base);
        _separateSteps();
        vm.revertToState(base);
        _relayed();
        vm.revertToState(base);
        _returns();
        vm.revertToState(base);
        _batches();
    }

    function _first() private {
        Terms memory t = _priced();
        vm.prank(CONSUMER);
        token.approve(address(template), 0);
        uint256 before = vm.snapshotState();
        _lockByPermit(t);
        _record("create and lock: first");
        _grant(t);
        _settle(t, _charge(0, PRICE));
        _record("release: first");
        vm.revertToState(before);
    }

    function _warmUp() private {
        vm.prank(CONSUMER);
        token.approve(address(template), 2 * PRICE);
        _lock(_priced());
        _paid(_priced());
        _lockByPermit(_priced());
        vm.prank(CONSUMER);
        token.approve(address(template), openAgreements * PRICE);
    }

    function _purchase() private {
        Terms memory t = _priced();
        _lockByPermit(t);
        uint256 sum = vm.lastCallGas().gasTotalUsed;
        _record("create and lock");
        _grant(t);
        sum += vm.lastCallGas().gasTotalUsed;
        _record("grant");
        _settle(t, _charge(0, PRICE));
        sum += vm.lastCallGas().gasTotalUsed;
        _record("release");
        _record("purchase all-in", sum);
        _settle(t, _charge(1, 0));
        _record("receipt without charge");
    }

    function _furtherSettlements() private {
        Terms memory t = _bought();
        _settle(t, _charge(0, PRICE / 4));
        _settle(t, _charge(1, PRICE / 4));
        _record("further settlement");
        _settle(t, _charge(64, 1));
        _record("further settlement: first beyond 64");
        _settle(t, _charge(65, 1));
        _record("further settlement: beyond 64");
        _settle(t, _lastCharge(2, PRICE / 4));
        _record("last settlement with a rest to return");
    }

    function _separateSteps() private {
        Terms memory t = _priced();
        vm.prank(CONSUMER);
        token.approve(address(template), PRICE);
        _record("approve");
        _create(t);
        _record("create");
        uint256 created = vm.snapshotState();
        vm.prank(CONSUMER);
        template.fulfill(t, address(template), PRICE);
        _record("lock");
        vm.revertToState(created);
        vm.prank(CONSUMER);
        template.cancel(t);
        _record("cancel");
    }

    function _relayed() private {
        Terms memory t = _priced();
        Permit memory permit = _permit();
        bytes memory order = _signTerms(CONSUMER_KEY, t);
        bytes memory offer = _signTerms(GATEWAY_KEY, t);
        uint256 before = vm.snapshotState();
        vm.prank(STRANGER);
        bytes32 id = template.createAgreementAndLock(t, order, permit);
        _record("create and lock: relayed");
        _grant(t);
        Settlement memory s = _charge(0, PRICE);
        bytes memory signature = _sign(GATEWAY_KEY, template.settlementDigest(id, s));
        vm.prank(STRANGER);
        template.fulfill(t, s, signature);
        _record("release: relayed");
        vm.revertToState(before);
        vm.prank(CONSUMER);
        template.createLockGrant(t, "", permit, offer);
        _record("create, lock and grant");
    }

    function _returns() private {
        Terms memory t = _bought();
        Terms memory ungranted = _priced();
        _lockByPermit(ungranted);
        uint256 before = vm.snapshotState();
        vm.prank(GATEWAY);
        template.refuse(ungranted);
        _record("refuse");
        vm.revertToState(before);
        vm.warp(START + 30 days);
        template.refund(ungranted);
        _record("refund: never granted");
        template.refund(t);
        _record("refund: never settled");
    }

    function _batches() private {
        Item[] memory same = new Item[](1);
        same[0].terms = _bought();
        same[0].settlements = new Settlement[](BATCH);
        for (uint32 i = 0; i < BATCH; ++i) {
            same[0].settlements[i] = _charge(i, PRICE / 100);
        }
        _batch(same, "batch of 20, one agreement: each");

        Item[] memory many = new Item[](BATCH);
        for (uint256 i = 0; i < BATCH; ++i) {
            many[i].terms = _boughtBy(0xC000 + i);
        }
        _batch(_withCharge(many, _charge(0, PRICE / 2)), "batch of 20 agreements, in part: each");
        _batch(_withCharge(many, _lastCharge(0, PRICE)), "batch of 20 agreements, in full: each");
        _batch(_withCharge(many, _lastCharge(0, PRICE / 2)), "batch of 20 agreements, last with a rest: each");
    }

    function _batch(Item[] memory items, string memory operation) private {
        uint256 before = vm.snapshotState();
        vm.prank(GATEWAY);
        template.fulfillBatch(items);
        _recordEach(operation);
        vm.revertToState(before);
    }

    function _withCharge(Item[] memory items, Settlement memory s) private pure returns (Item[] memory) {
        for (uint256 i = 0; i < items.length; ++i) {
            items[i].settlements = new Settlement[](1);
            items[i].settlements[0] = s;
        }
        return items;
    }

    function _lockByPermit(Terms memory t) private {
        Permit memory permit = _permit();
        vm.prank(CONSUMER);
        template.createAgreementAndLock(t, "", permit);
    }

    function _bought() private returns (Terms memory t) {
        t = _priced();
        _lockByPermit(t);
        _grant(t);
    }

    /// @dev An open agreement of another consumer, who keeps some tokens.
    function _boughtBy(uint256 key) private returns (Terms memory t) {
        t = _priced();
        t.consumer = vm.addr(key);
        _fund(t.consumer, 2 * PRICE);
        _open(t);
    }
}

/// @notice The operations on assets.
contract RegistryGasTest is GasRecord {
    string private constant URL = "https://metadata.example/api/v1/metadata/assets/ddo/{did}/v1";

    function test_Registry() public {
        address[] memory none = new address[](0);
        address[] memory one = new address[](1);
        one[0] = GATEWAY;
        vm.startPrank(OWNER);
        bytes32 asset = registry.registerAttribute("first", keccak256("ddo"), none, URL);
        _record("register: no provider");
        registry.registerAttribute("second", keccak256("ddo"), one, URL);
        _record("register: one provider");
        registry.registerAttributeFor("third", keccak256("ddo"), one, URL, CONSUMER);
        _record("register for somebody: one provider");
        registry.updateAttribute(asset, keccak256("next ddo"), URL);
        _record("update");
        registry.addDIDProvider(asset, GATEWAY);
        _record("add a provider");
        registry.removeDIDProvider(asset, GATEWAY);
        _record("remove a provider");
        registry.used("statement", asset, GATEWAY, "activity", "");
        _record("provenance: used");
        registry.wasDerivedFrom("statement", asset, did, GATEWAY, "activity", "");
        _record("provenance: derived");
        registry.wasAssociatedWith("statement", asset, GATEWAY, "activity", "");
        _record("provenance: associated");
        registry.transferDIDOwnership(asset, CONSUMER);
        _record("transfer of ownership");
        vm.stopPrank();
    }

    function test_RegistryBySignature() public {
        uint256 deadline = START + 600;
        Registration memory algorithm = Registration("algorithm", keccak256("ddo"), new address[](1), URL);
        algorithm.providers[0] = GATEWAY;
        Registration[] memory both = new Registration[](2);
        both[0] = Registration("another algorithm", keccak256("ddo"), algorithm.providers, URL);
        both[1] = Registration("workflow", keccak256("ddo"), algorithm.providers, URL);
        bytes memory signature =
            Requests.registrations(registry, CONSUMER_KEY, Requests.one(algorithm), deadline);
        registry.registerAttributesBySignature(CONSUMER, Requests.one(algorithm), deadline, signature);
        _record("register by signature: one asset, one provider");
        signature = Requests.registrations(registry, CONSUMER_KEY, both, deadline);
        registry.registerAttributesBySignature(CONSUMER, both, deadline, signature);
        _record("register by signature: algorithm and workflow");
        bytes32 asset = registry.hashDID("algorithm", CONSUMER);
        Update[] memory next = Requests.one(Update(asset, keccak256("next ddo"), URL, 2));
        signature = Requests.updates(registry, CONSUMER_KEY, next, deadline);
        registry.updateAttributesBySignature(CONSUMER, next, deadline, signature);
        _record("update by signature");
        signature = Requests.provider(registry, CONSUMER_KEY, asset, STRANGER, true, 0, deadline);
        registry.setDIDProviderBySignature(asset, STRANGER, true, 0, deadline, signature);
        _record("provider by signature");
        signature = Requests.transfer(registry, CONSUMER_KEY, asset, OWNER, 1, deadline);
        registry.transferDIDOwnershipBySignature(asset, OWNER, 1, deadline, signature);
        _record("transfer by signature");
    }
}

/// @notice What a receiver pays later after the token refused it.
contract WithdrawGasTest is GasRecord {
    function _deployToken() internal override returns (IERC20) {
        return new HostileToken();
    }

    function _fund(address who, uint256 amount) internal override {
        HostileToken(address(token)).mint(who, amount);
        vm.prank(who);
        token.approve(address(template), type(uint256).max);
    }

    function test_Withdraw() public {
        receivers = 1;
        HostileToken hostile = HostileToken(address(token));
        hostile.mint(GATEWAY, 1);
        _lock(_priced());
        hostile.setBlocked(GATEWAY, true);
        _paid(_priced());
        _record("release: to a receiver that the token refuses");
        hostile.setBlocked(GATEWAY, false);
        template.withdraw(GATEWAY);
        _record("withdraw");
    }
}
