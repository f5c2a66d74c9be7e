// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Handler} from "./Handler.sol";
import {InvariantRun} from "../support/InvariantRun.sol";

/// I1  solvency: the escrow holds what is locked and not yet charged or returned, what is credited, and gifts
/// I2  charged ≤ price; charged, returned and credited together are the price once it is over, and at most before
/// I3  money goes to the receivers in proportion, or to the consumer, and to nobody else
/// I4  an execution is charged at most once, and never without a receipt
/// I5  states move 0 → 1 → {2, 3} only, along the state table
/// I6  permission means: granted in time, not closed by a last settlement, not refunded, before start + timeout
/// I7  a grant, a settlement, a refund is possible exactly in its time
/// I8  an agreement is created once
/// I9  the cost of a call does not depend on the number of agreements (measured in test/gas)
/// I10 owners and admins change no agreement and no balance
///
/// The handler has a model of all this and compares each call with it; the rest is compared here.
contract InvariantsTest is InvariantRun {
    string private constant RECORD = "measured/invariant-successes.csv";

    Handler private handler;

    function setUp() public {
        handler = new Handler();
    }

    function invariant_I1_I3_EveryBaseUnitIsWhereItBelongs() public view {
        handler.assertMoney();
    }

    /// @dev Runs once at the end of each sequence.
    function afterInvariant() public {
        handler.assertAgreements();
        _recordSuccesses(RECORD);
    }

    function _target() internal view override returns (address) {
        return address(handler);
    }

    function _selectors() internal pure override returns (bytes4[] memory s) {
        s = new bytes4[](16);
        s[0] = Handler.draft.selector;
        s[1] = Handler.create.selector;
        s[2] = Handler.createAndLock.selector;
        s[3] = Handler.createLockGrant.selector;
        s[4] = Handler.lock.selector;
        s[5] = Handler.cancel.selector;
        s[6] = Handler.grant.selector;
        s[7] = Handler.refuse.selector;
        s[8] = Handler.settle.selector;
        s[9] = Handler.settleBatch.selector;
        s[10] = Handler.refund.selector;
        s[11] = Handler.withdraw.selector;
        s[12] = Handler.pass.selector;
        s[13] = Handler.disturb.selector;
        s[14] = Handler.donate.selector;
        s[15] = Handler.administrate.selector;
    }
}
