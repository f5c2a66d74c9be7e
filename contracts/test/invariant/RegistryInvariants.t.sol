// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RegistryHandler} from "./RegistryHandler.sol";
import {vm} from "../support/Vm.sol";

/// R1  only the owner's calls and the owner's signed requests change an asset
/// R2  a request works once, until its deadline, and never after a change that its owner made since
/// R3  versions and changes are counted one by one
///
/// The handler has a model of all this and compares each call with it; the rest is compared here.
contract RegistryInvariantsTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    string private constant RECORD = "measured/registry-successes.csv";

    RegistryHandler private handler;

    function setUp() public {
        handler = new RegistryHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), _selectors());
    }

    function invariant_R1_R3_TheRegistrySaysWhatItsOwnersDid() public view {
        handler.assertAssets();
    }

    /// @dev Runs once at the end of each sequence; the record shows handlers that never succeed.
    function afterInvariant() public {
        bytes4[] memory selectors = _selectors();
        string memory line = "";
        for (uint256 i = 0; i < selectors.length; ++i) {
            line = string.concat(line, i == 0 ? "" : ",", vm.toString(handler.successes(selectors[i])));
        }
        vm.writeLine(RECORD, line);
    }

    /// @dev In the order of the columns of the record.
    function _selectors() private pure returns (bytes4[] memory s) {
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
