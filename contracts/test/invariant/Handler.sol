// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ComputeExecutionCondition} from "../../src/ComputeExecutionCondition.sol";
import {EscrowReward} from "../../src/EscrowReward.sol";
import {LockRewardCondition} from "../../src/LockRewardCondition.sol";
import {Item, Permit, Settlement, Terms} from "../../src/Agreement.sol";
import {Model, Phase} from "./Model.sol";
import {vm} from "../support/Vm.sol";

/// @notice Every possible call, by the right and the wrong accounts, at the right and the wrong time, with a token that
/// turns hostile. Each call predicts whether it will succeed, and compares that with what the contract does.
contract Handler is Model {
    uint256 private constant CONSUMERS = 3;
    uint256 private constant RECEIVERS = 8;
    uint256 private constant WINDOW = 8;
    uint256 private constant SECOND_GATEWAY_KEY = 0x6B;
    address private immutable SECOND_GATEWAY = vm.addr(SECOND_GATEWAY_KEY);
    address[RECEIVERS] private receivers;
    bool private revoked;

    /// @notice How often each call succeeded.
    mapping(bytes4 selector => uint256) public successes;

    constructor() {
        setUp();
        vm.prank(OWNER);
        registry.addDIDProvider(did, SECOND_GATEWAY);
        // Three of the receivers are consumers as well.
        (receivers[3], receivers[4], receivers[5]) = (OWNER, GATEWAY, SECOND_GATEWAY);
        (receivers[6], receivers[7]) = (address(0x4006), address(0x4007));
        for (uint256 i = 0; i < CONSUMERS; ++i) {
            receivers[i] = vm.addr(CONSUMER_KEY + i);
            _fund(receivers[i], 1e30);
        }
        _fund(STRANGER, 1e24);
        // One consumer has never approved anything and pays by permits.
        vm.prank(receivers[2]);
        hostile.approve(address(template), 0);
        for (uint256 i = 0; i < 4; ++i) {
            _draft(uint256(keccak256(abi.encode(i))));
        }
    }

    // -- calls --------------------------------------------------------------------------------------------------------

    /// @notice Drafts terms that somebody may agree on.
    function draft(uint256 seed) external {
        _draft(seed);
        ++successes[msg.sig];
    }

    /// @dev A few of the terms are invalid.
    function _draft(uint256 seed) private {
        Deal storage d = deals.push();
        Terms memory t = _terms();
        t.consumer = receivers[seed % CONSUMERS];
        t.provider = seed & 0x100 == 0 ? GATEWAY : SECOND_GATEWAY;
        t.deadline = uint40(_now() + (seed >> 16) % 20_000);
        t.timeout = uint32(_bound(seed >> 32, 1, 5000));
        t.grantTimeout = uint32(_bound(seed >> 64, 1, t.timeout));
        t.settleTimeout = uint32((seed >> 96) % 3000);
        uint256 count = (seed >> 128) % 6;
        (t.amounts, t.receivers) = (new uint256[](count), new address[](count));
        for (uint256 i = 0; i < count; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            t.amounts[i] = random & 1 == 0 ? _bound(random >> 8, 1, 9) : _bound(random >> 8, 1, 1e21);
            t.receivers[i] = _receiver(random >> 128);
        }
        uint256 fault = (seed >> 200) % 40;
        if (fault == 0) t.timeout = 0;
        if (fault == 1) t.grantTimeout = t.timeout + 1;
        if (fault == 2) t.settleTimeout = 367 days;
        if (fault == 3) t.did = keccak256("nothing");
        if (fault == 4 && count > 0) t.receivers[0] = address(template);
        if (fault == 5 && count > 0) t.amounts[count - 1] = 0;
        d.terms = t;
        d.id = template.agreementId(t);
    }

    function create(uint256 pick, uint256 who) external {
        Deal storage d = _pickNew(pick);
        (address sender, bytes memory signature, bool authorised) = _consumerSide(d, who);
        bool expected = authorised && _creatable(d);
        if (_call(sender, abi.encodeCall(template.createAgreement, (d.terms, signature)), expected)) _onCreate(d);
        _assertDeal(d);
    }

    function createAndLock(uint256 pick, uint256 who, uint256 permitKind) external {
        Deal storage d = _pickNew(pick);
        (address sender, bytes memory signature, bool authorised) = _consumerSide(d, who);
        (Permit memory permit, uint256 allowance) = _permit(d, permitKind);
        bool expected = authorised && (_creatable(d) || d.phase == Phase.Created) && _lockable(d, allowance);
        bytes memory data = abi.encodeCall(template.createAgreementAndLock, (d.terms, signature, permit));
        if (_call(sender, data, expected)) _onLock(d);
        _assertDeal(d);
    }

    function createLockGrant(uint256 pick, uint256 who, uint256 permitKind, bool offered) external {
        Deal storage d = pick & 16 == 0 ? _pickNew(pick) : _pick(pick, Phase.Locked);
        (address sender, bytes memory signature, bool authorised) = _consumerSide(d, who);
        (Permit memory permit, uint256 allowance) = _permit(d, permitKind);
        bytes memory offer = _sign(offered ? _providerKey(d) : 0xBAD, d.id);
        bool locks = (_creatable(d) || d.phase == Phase.Created) && _lockable(d, allowance);
        bool expected = authorised && (offered || sender == d.terms.provider) && (locks || _grantable(d));
        bytes memory data = abi.encodeCall(template.createLockGrant, (d.terms, signature, permit, offer));
        if (_call(sender, data, expected)) {
            if (d.phase != Phase.Locked) _onLock(d);
            d.phase = Phase.Open;
        }
        _assertDeal(d);
    }

    function lock(uint256 pick, uint256 who, bool misstated) external {
        Deal storage d = _pick(pick, Phase.Created);
        address sender = _sender(who, d.terms.consumer, d.terms.provider);
        uint256 allowance = hostile.allowance(d.terms.consumer, address(template));
        bool expected =
            sender == d.terms.consumer && d.phase == Phase.Created && _lockable(d, allowance) && !misstated;
        uint256 amount = misstated ? _total(d) + 1 : _total(d);
        bytes memory data = abi.encodeCall(LockRewardCondition.fulfill, (d.terms, address(template), amount));
        if (_call(sender, data, expected)) _onLock(d);
        _assertDeal(d);
    }

    function cancel(uint256 pick, uint256 who) external {
        Deal storage d = _pick(pick, Phase.Created);
        address sender = _sender(who, d.terms.consumer, d.terms.provider);
        bool expected = sender == d.terms.consumer && d.phase == Phase.Created;
        if (_call(sender, abi.encodeCall(template.cancel, (d.terms)), expected)) d.phase = Phase.Cancelled;
        _assertDeal(d);
    }

    function grant(uint256 pick, uint256 who) external {
        Deal storage d = _pick(pick, Phase.Locked);
        address sender = _sender(who, d.terms.provider, d.terms.consumer);
        bool expected = sender == d.terms.provider && _grantable(d);
        bytes memory data =
            abi.encodeCall(ComputeExecutionCondition.fulfill, (d.terms, d.terms.did, d.terms.consumer));
        if (_call(sender, data, expected)) d.phase = Phase.Open;
        _assertDeal(d);
    }

    function refuse(uint256 pick, uint256 who) external {
        Deal storage d = _pick(pick, Phase.Locked);
        address sender = _sender(who, d.terms.provider, d.terms.consumer);
        bool expected = sender == d.terms.provider && d.phase == Phase.Locked;
        if (_call(sender, abi.encodeCall(template.refuse, (d.terms)), expected)) _onRefund(d);
        _assertDeal(d);
    }

    function settle(uint256 pick, uint256 who, uint256 what) external {
        Deal storage d = _pick(pick, Phase.Open);
        Settlement memory s = _settlement(d, what);
        address sender = _sender(who, d.terms.provider, STRANGER);
        bool signs = who % 5 == 3;
        bytes memory signature = _sign(signs ? _providerKey(d) : 0xBAD, template.settlementDigest(d.id, s));
        bool expected = (sender == d.terms.provider || signs) && _chargeable(d, s);
        if (_call(sender, abi.encodeCall(EscrowReward.fulfill, (d.terms, s, signature)), expected)) _onSettle(d, s);
        _assertDeal(d);
    }

    function settleBatch(uint256[3] calldata picks, uint256[6] calldata what, uint256 who) external {
        uint256[] memory chosen = new uint256[](1 + (who >> 8) % 3);
        Item[] memory items = new Item[](chosen.length);
        for (uint256 i = 0; i < chosen.length; ++i) {
            chosen[i] = _choose(picks[i], Phase.Open);
            Deal storage d = deals[chosen[i]];
            items[i].terms = d.terms;
            items[i].settlements = new Settlement[](1 + what[2 * i] % 2);
            for (uint256 j = 0; j < items[i].settlements.length; ++j) {
                items[i].settlements[j] = _settlement(d, what[2 * i + j] >> 1);
            }
        }
        address sender = _sender(who, items[0].terms.provider, STRANGER);
        // The model takes all or nothing as well.
        bool expected;
        try this.applyBatch(chosen, items, sender) {
            expected = true;
        } catch {}
        _call(sender, abi.encodeCall(template.fulfillBatch, (items)), expected);
        for (uint256 i = 0; i < chosen.length; ++i) {
            _assertDeal(deals[chosen[i]]);
        }
    }

    function applyBatch(uint256[] calldata chosen, Item[] calldata items, address sender) external {
        require(msg.sender == address(this), "only the handler");
        for (uint256 i = 0; i < items.length; ++i) {
            Deal storage d = deals[chosen[i]];
            require(sender == d.terms.provider, "caller");
            for (uint256 j = 0; j < items[i].settlements.length; ++j) {
                require(_chargeable(d, items[i].settlements[j]), "settlement");
                _onSettle(d, items[i].settlements[j]);
            }
        }
    }

    function refund(uint256 pick, uint256 who) external {
        Deal storage d = _pick(pick, pick & 16 == 0 ? Phase.Open : Phase.Locked);
        address sender = _sender(who, STRANGER, d.terms.consumer);
        if (_call(sender, abi.encodeCall(template.refund, (d.terms)), _refundable(d))) _onRefund(d);
        _assertDeal(d);
    }

    function withdraw(uint256 pick) external {
        address who = _receiver(pick);
        for (uint256 i = 0; i < RECEIVERS && credits[who] == 0; ++i) {
            who = _receiver(pick % RECEIVERS + i);
        }
        if (pick & 64 == 0) {
            hostile.setBlocked(who, false);
            hostile.setSilent(who, false);
        }
        bool expected = credits[who] > 0 && !hostile.blocked(who) && !hostile.silent(who);
        if (_call(STRANGER, abi.encodeCall(template.withdraw, (who)), expected)) _onWithdraw(who);
    }

    // -- the world ----------------------------------------------------------------------------------------------------

    /// @notice Time passes: a few seconds, or until just before, at or after a deadline.
    function pass(uint256 pick, uint256 kind) external {
        Deal storage d = _pick(pick, kind & 1 == 0 ? Phase.Open : Phase.Locked);
        uint256 target = _now() + kind % 400;
        if (d.phase == Phase.None) kind = 0;
        if (kind % 7 == 1) target = uint256(d.terms.deadline) + (kind >> 8) % 2;
        if (kind % 7 == 2) target = d.start + d.terms.grantTimeout - (kind >> 8) % 2;
        if (kind % 7 == 3) target = d.start + d.terms.timeout - (kind >> 8) % 2;
        if (kind % 7 == 4) target = _settleEnd(d) - (kind >> 8) % 2;
        if (target > _now() && target < _now() + 10_000) vm.warp(target);
        ++successes[msg.sig];
        _assertDeal(d);
    }

    /// @notice The token refuses somebody, answers false, takes a fee, calls back, or behaves again.
    function disturb(uint256 pick, uint256 kind) external {
        address who = _concerned(_pick(pick, Phase.Open), kind >> 8);
        kind %= 10;
        if (kind < 3) hostile.setBlocked(who, true);
        if (kind == 0) _blockReceivers(_pick(pick, Phase.Open));
        if (kind == 3 || kind == 4) hostile.setSilent(who, true);
        if (kind == 5) hostile.setFee(100);
        if (kind == 6) hostile.setHook(address(template), abi.encodeCall(template.refund, (_pick(pick, Phase.Locked).terms)));
        if (kind == 7) hostile.setHook(address(template), abi.encodeCall(template.withdraw, (who)));
        ++successes[msg.sig];
        if (kind < 8) return;
        hostile.setFee(0);
        hostile.setHook(address(0), "");
        for (uint256 i = 0; i < RECEIVERS; ++i) {
            hostile.setBlocked(receivers[i], false);
            hostile.setSilent(receivers[i], false);
        }
    }

    /// @notice Somebody sends tokens to the escrow.
    function donate(uint256 amount) external {
        amount = _bound(amount, 1, 1e15);
        hostile.setHook(address(0), "");
        vm.prank(STRANGER);
        hostile.transfer(address(template), amount);
        balances[STRANGER] -= amount;
        gifts += amount;
        ++successes[msg.sig];
    }

    /// @notice I10: owners and admins do all they can, which changes no agreement and no balance.
    function administrate(uint256 kind) external {
        kind %= 64;
        vm.startPrank(OWNER);
        if (kind & 1 == 0) registry.addDIDProvider(did, SECOND_GATEWAY);
        else if (kind & 6 == 0) registry.removeDIDProvider(did, SECOND_GATEWAY);
        registry.updateAttribute(did, bytes32(kind), "https://elsewhere");
        vm.stopPrank();
        vm.startPrank(ADMIN);
        if (kind == 63 && !revoked) {
            templates.revokeTemplate(address(template));
            revoked = true;
        }
        templates.transferOwnership(STRANGER);
        templates.transferOwnership(address(0));
        vm.stopPrank();
        ++successes[msg.sig];
    }

    // -- invariants ---------------------------------------------------------------------------------------------------

    /// @notice I1, I3: every base unit is where the model says, and the escrow holds exactly what it owes.
    function assertMoney() external view {
        uint256 held = hostile.balanceOf(address(template));
        vm.assertEq(held, escrowed + credited + gifts, "I1: the escrow holds what it owes");
        for (uint256 i = 0; i < RECEIVERS; ++i) {
            address who = receivers[i];
            vm.assertEq(hostile.balanceOf(who), balances[who], "I3: a balance");
            vm.assertEq(template.claimable(who), credits[who], "I3: a credit");
        }
        vm.assertEq(hostile.balanceOf(STRANGER), balances[STRANGER], "I3: strangers gain nothing");
        vm.assertFalse(hostile.hookCalled() && hostile.hookSucceeded(), "a callback got in");
    }

    /// @notice I2, I4, I5, I6, I7, I8: every agreement is what the model says.
    function assertAgreements() external view {
        for (uint256 i = 0; i < deals.length; ++i) {
            Deal storage d = deals[i];
            _assertDeal(d);
            vm.assertLe(d.settled, _total(d), "I2: charged at most the price");
            uint32[8] memory indices = [uint32(0), 1, 2, 62, 63, 64, 65, type(uint32).max];
            for (uint256 j = 0; j < 8; ++j) {
                bool settled = template.isExecutionSettled(d.id, indices[j]);
                vm.assertEq(settled, d.executions[indices[j]], "I4: an execution");
            }
        }
    }

    // -- choices ------------------------------------------------------------------------------------------------------

    /// @dev One of the latest agreements, mostly one in the wanted phase, so that agreements go through all their states.
    function _choose(uint256 pick, Phase wanted) private view returns (uint256) {
        uint256 window = deals.length < WINDOW ? deals.length : WINDOW;
        uint256 newest = deals.length - 1;
        for (uint256 i = 0; i < window && pick % 8 != 0; ++i) {
            uint256 candidate = newest - (pick % WINDOW + i) % window;
            if (deals[candidate].phase == wanted) return candidate;
        }
        return newest - pick % window;
    }

    function _pick(uint256 pick, Phase wanted) private view returns (Deal storage) {
        return deals[_choose(pick, wanted)];
    }

    /// @dev An agreement that does not exist yet; it is drafted now if there is none.
    function _pickNew(uint256 pick) private returns (Deal storage d) {
        d = _pick(pick, Phase.None);
        if (d.phase == Phase.None && _now() <= d.terms.deadline || pick % 8 == 0) return d;
        _draft(pick);
        return deals[deals.length - 1];
    }

    function _keyOf(address consumer) private view returns (uint256) {
        return consumer == receivers[0] ? CONSUMER_KEY : consumer == receivers[1] ? CONSUMER_KEY + 1 : CONSUMER_KEY + 2;
    }

    function _providerKey(Deal storage d) private view returns (uint256) {
        return d.terms.provider == GATEWAY ? GATEWAY_KEY : SECOND_GATEWAY_KEY;
    }

    function _receiver(uint256 i) private view returns (address) {
        return receivers[i % RECEIVERS];
    }

    /// @dev Every receiver of an agreement; some drafts name the escrow, which is not a receiver.
    function _blockReceivers(Deal storage d) private {
        for (uint256 i = 0; i < d.terms.receivers.length; ++i) {
            if (d.terms.receivers[i] != address(template)) hostile.setBlocked(d.terms.receivers[i], true);
        }
    }

    /// @dev Somebody who may be paid by an agreement.
    function _concerned(Deal storage d, uint256 i) private view returns (address) {
        uint256 count = d.terms.receivers.length;
        if (i % (count + 1) == count || d.phase == Phase.None) return d.terms.consumer;
        return d.terms.receivers[i % (count + 1)];
    }

    /// @dev Usually the right account.
    function _sender(uint256 who, address right, address wrong) private pure returns (address) {
        return who % 5 < 3 ? right : (who % 5 == 3 ? STRANGER : wrong);
    }

    /// @dev The consumer, or somebody with its signature, or somebody without.
    function _consumerSide(Deal storage d, uint256 who)
        private
        view
        returns (address sender, bytes memory signature, bool authorised)
    {
        address consumer = d.terms.consumer;
        if (who % 5 < 2) return (consumer, "", true);
        sender = who % 2 == 0 ? STRANGER : d.terms.provider;
        if (who % 5 < 4) return (sender, _sign(_keyOf(consumer), d.id), true);
        return (sender, _sign(0xBAD, d.id), false);
    }

    /// @dev No permit, a valid one, or an expired one; and the allowance that the lock then finds.
    function _permit(Deal storage d, uint256 kind) private view returns (Permit memory permit, uint256 allowance) {
        address consumer = d.terms.consumer;
        allowance = hostile.allowance(consumer, address(template));
        kind %= 3;
        if (kind == 1) {
            allowance = _total(d);
            permit = _signPermit(_keyOf(consumer), allowance, _now());
        }
        if (kind == 2) permit = _signPermit(_keyOf(consumer), _total(d), _now() - 1);
    }

    function _settlement(Deal storage d, uint256 what) private view returns (Settlement memory s) {
        uint32[8] memory indices = [uint32(0), 1, 2, 62, 63, 64, 65, type(uint32).max];
        s.index = indices[what % 8];
        uint256 left = _total(d) - d.settled;
        uint256 kind = (what >> 8) % 8;
        if (kind < 3) s.charge = uint128(_bound(what >> 32, 0, left / 3));
        if (kind == 3) s.charge = uint128(left);
        if (kind == 4) s.charge = uint128(left + 1);
        if (kind == 5) s.charge = 1;
        if ((what >> 16) % 8 > 0) s.receiptHash = keccak256(abi.encode(what));
        s.last = (what >> 24) % 8 == 0;
    }

    /// @dev Calls, and compares the outcome with what the model expects.
    function _call(address sender, bytes memory data, bool expected) private returns (bool done) {
        vm.prank(sender);
        (done,) = address(template).call(data);
        vm.assertEq(done, expected, "the call succeeds exactly when the model says so");
        if (done) ++successes[msg.sig];
    }
}
