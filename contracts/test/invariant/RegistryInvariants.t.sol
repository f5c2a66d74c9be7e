// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RegistryHandler} from "./RegistryHandler.sol";
import {InvariantRun} from "../support/InvariantRun.sol";

/// R1  only the owner's calls and the owner's signed requests change an asset
/// R2  a request works once, until its deadline, and never after a change that its owner made since
/// R3  versions and changes are counted one by one
///
/// The handler has a model of all this and compares each call with it; the rest is compared here.
contract RegistryInvariantsTest is InvariantRun {
    string private constant RECORD = "measured/registry-successes.csv";

    RegistryHandler private handler;

    function setUp() public {
        handler = new RegistryHandler();
    }

    function invariant_R1_R3_TheRegistrySaysWhatItsOwnersDid() public view {
        handler.assertAssets();
    }

    /// @dev Runs once at the end of each sequence.
    function afterInvariant() public {
        _recordSuccesses(RECORD);
    }

    function _target() internal view override returns (address) {
        return address(handler);
    }

    function _selectors() internal pure override returns (bytes4[] memory s) {
        s = new bytes4[](10);
        s[0] = RegistryHandler.register.selector;
        s[1] = RegistryHandler.update.selector;
        s[2] = RegistryHandler.transfer.selector;
        s[3] = RegistryHandler.setProvider.selector;
        s[4] = RegistryHandler.signRegistration.selector;
        s[5] = RegistryHandler.signUpdate.selector;
        s[6] = RegistryHandler.signTransfer.selector;
        s[7] = RegistryHandler.signProvider.selector;
        s[8] = RegistryHandler.send.selector;
        s[9] = RegistryHandler.pass.selector;
    }
}
