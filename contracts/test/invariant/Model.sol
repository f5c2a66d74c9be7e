// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Agreement, Condition, Settlement, Terms} from "../../src/Agreement.sol";
import {HostileToken} from "../support/HostileToken.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// @notice The state of an agreement: the rows of the state table.
enum Phase {
    None,
    Created,
    Locked,
    Open,
    Paid,
    Closed,
    Ungranted,
    Expired,
    Cancelled
}

/// @notice What the agreements should be, written without looking at how the contract stores them.
abstract contract Model is World {
    struct Deal {
        Terms terms;
        bytes32 id;
        Phase phase;
        uint256 start;
        uint256 settled;
        mapping(uint256 index => bool) executions;
    }

    HostileToken internal hostile;
    Deal[] internal deals;
    mapping(address account => uint256) internal balances;
    mapping(address account => uint256) internal credits;
    uint256 internal escrowed;
    uint256 internal credited;
    uint256 internal gifts;

    // -- what may happen ----------------------------------------------------------------------------------------------

    function _creatable(Deal storage d) internal view returns (bool) {
        Terms memory t = d.terms;
        if (d.phase != Phase.None || _now() > t.deadline) return false;
        if (t.timeout == 0 || t.timeout > 366 days || t.settleTimeout > 366 days) return false;
        if (t.grantTimeout == 0 || t.grantTimeout > t.timeout) return false;
        if (t.amounts.length != t.receivers.length || t.receivers.length > 8) return false;
        for (uint256 i = 0; i < t.receivers.length; ++i) {
            if (t.amounts[i] == 0 || t.receivers[i] == address(0) || t.receivers[i] == address(template)) return false;
        }
        if (_total(d) > type(uint128).max) return false;
        return templates.isTemplateApproved(address(template)) && registry.isDIDProvider(t.did, t.provider);
    }

    function _lockable(Deal storage d, uint256 allowance) internal view returns (bool) {
        address consumer = d.terms.consumer;
        uint256 price = _total(d);
        if (_now() > d.terms.deadline) return false;
        if (price == 0) return true;
        if (hostile.blocked(consumer) || hostile.silent(consumer) || price * hostile.fee() / 10_000 > 0) return false;
        return price <= allowance && price <= balances[consumer];
    }

    function _grantable(Deal storage d) internal view returns (bool) {
        return d.phase == Phase.Locked && _now() < d.start + d.terms.grantTimeout;
    }

    function _settleable(Deal storage d) internal view returns (bool) {
        return (d.phase == Phase.Open || d.phase == Phase.Paid) && _now() < _settleEnd(d);
    }

    function _refundable(Deal storage d) internal view returns (bool) {
        if (d.phase == Phase.Locked) return _now() >= d.start + d.terms.grantTimeout;
        return d.phase == Phase.Open && _now() >= _settleEnd(d);
    }

    function _chargeable(Deal storage d, Settlement memory s) internal view returns (bool) {
        if (!_settleable(d) || d.executions[s.index] || s.charge > _total(d) - d.settled) return false;
        return s.receiptHash != 0 || (s.charge == 0 && s.last && d.phase == Phase.Open);
    }

    function _permitted(Deal storage d) internal view returns (bool) {
        return (d.phase == Phase.Open || d.phase == Phase.Paid) && _now() < d.start + d.terms.timeout;
    }

    // -- what happens -------------------------------------------------------------------------------------------------

    function _onCreate(Deal storage d) internal {
        (d.phase, d.start) = (Phase.Created, _now());
    }

    function _onLock(Deal storage d) internal {
        (d.phase, d.start) = (Phase.Locked, _now());
        balances[d.terms.consumer] -= _total(d);
        escrowed += _total(d);
    }

    function _onSettle(Deal storage d, Settlement memory s) internal {
        uint256[] memory before = _shares(d, d.settled);
        d.settled += s.charge;
        uint256[] memory afterwards = _shares(d, d.settled);
        for (uint256 i = 0; i < before.length; ++i) {
            _onPay(d.terms.receivers[i], afterwards[i] - before[i]);
        }
        d.executions[s.index] = true;
        if (s.last) {
            _onPay(d.terms.consumer, _total(d) - d.settled);
            d.phase = Phase.Closed;
        } else if (d.settled == _total(d)) {
            d.phase = Phase.Paid;
        }
    }

    function _onRefund(Deal storage d) internal {
        _onPay(d.terms.consumer, _total(d) - d.settled);
        d.phase = d.phase == Phase.Locked ? Phase.Ungranted : Phase.Expired;
    }

    function _onWithdraw(address who) internal {
        balances[who] += credits[who];
        credited -= credits[who];
        credits[who] = 0;
    }

    function _onPay(address who, uint256 amount) internal {
        escrowed -= amount;
        if (hostile.blocked(who) || hostile.silent(who)) {
            credits[who] += amount;
            credited += amount;
        } else {
            balances[who] += amount;
        }
    }

    // -- arithmetic ---------------------------------------------------------------------------------------------------

    function _total(Deal storage d) internal view returns (uint256 sum) {
        for (uint256 i = 0; i < d.terms.amounts.length; ++i) {
            sum += d.terms.amounts[i];
        }
    }

    function _settleEnd(Deal storage d) internal view returns (uint256) {
        return d.start + d.terms.timeout + d.terms.settleTimeout;
    }

    /// @dev What each receiver has after a charge: the i-th has its share of what receivers 0…i have together.
    function _shares(Deal storage d, uint256 charged) internal view returns (uint256[] memory shares) {
        uint256 count = d.terms.amounts.length;
        shares = new uint256[](count);
        uint256 total = _total(d);
        for (uint256 i = count; i > 1; --i) {
            uint256 amount = d.terms.amounts[i - 1];
            shares[i - 1] = charged * amount / total;
            charged -= shares[i - 1];
            total -= amount;
        }
        if (count > 0) shares[0] = charged;
    }

    // -- is it so? ----------------------------------------------------------------------------------------------------

    /// @dev The rows of the state table.
    function _row(Phase phase) internal pure returns (uint8 lock, uint8 compute, uint8 escrow) {
        if (phase == Phase.Created) return (1, 1, 1);
        if (phase == Phase.Locked) return (2, 1, 1);
        if (phase == Phase.Open) return (2, 2, 1);
        if (phase == Phase.Paid || phase == Phase.Closed) return (2, 2, 2);
        if (phase == Phase.Ungranted) return (2, 3, 3);
        if (phase == Phase.Expired) return (2, 2, 3);
        if (phase == Phase.Cancelled) return (3, 3, 3);
        return (0, 0, 0);
    }

    /// @dev I2, I5, I6: the agreement is what the model says.
    function _assertDeal(Deal storage d) internal view {
        Agreement memory a = template.getAgreement(d.id);
        (uint8 lock, uint8 compute, uint8 escrow) = _row(d.phase);
        vm.assertEq(uint256(a.lockReward), lock, "state of the lock");
        vm.assertEq(uint256(a.computeExecution), compute, "state of the grant");
        vm.assertEq(uint256(a.escrowReward), escrow, "state of the escrow");
        vm.assertEq(uint256(a.settled), d.settled, "charged so far");
        vm.assertEq(uint256(a.start), d.start, "start");
        vm.assertEq(a.closed, d.phase == Phase.Closed, "closed");
        Terms memory t = d.terms;
        vm.assertEq(template.checkPermissions(t, t.consumer, t.workflowId), _permitted(d), "permission");
        vm.assertFalse(template.checkPermissions(t, STRANGER, t.workflowId), "permission of a stranger");
        _assertConditions(d, t);
    }

    /// @dev I7: a condition shows as aborted exactly when its time is over.
    function _assertConditions(Deal storage d, Terms memory t) private view {
        (uint8 lock, uint8 compute, uint8 escrow) = _row(d.phase);
        bool over = d.phase == Phase.Created && _now() > t.deadline;
        over = over || (d.phase == Phase.Locked || d.phase == Phase.Open) && _refundable(d);
        if (over && lock == 1) lock = 3;
        if (over && compute == 1) compute = 3;
        if (over && escrow == 1) escrow = 3;
        vm.assertEq(uint256(template.getConditionState(t, Condition.LockReward)), lock, "lock now");
        vm.assertEq(uint256(template.getConditionState(t, Condition.ComputeExecution)), compute, "grant now");
        vm.assertEq(uint256(template.getConditionState(t, Condition.EscrowReward)), escrow, "escrow now");
    }

    // -- deployment ---------------------------------------------------------------------------------------------------

    function _deployToken() internal override returns (IERC20) {
        hostile = new HostileToken();
        return hostile;
    }

    function _fund(address who, uint256 amount) internal override {
        hostile.mint(who, amount);
        balances[who] += amount;
        vm.prank(who);
        hostile.approve(address(template), type(uint256).max);
    }
}
