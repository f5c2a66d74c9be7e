// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "./Vm.sol";

/// @notice A handler that counts how often each of its calls succeeded.
interface Counting {
    function successes(bytes4 selector) external view returns (uint256);
}

/// @notice A random run of one handler's calls. Its record shows handlers that never succeed.
abstract contract InvariantRun {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = _target();
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(_target(), _selectors());
    }

    /// @dev Writes how often each call succeeded, once at the end of each sequence.
    function _recordSuccesses(string memory path) internal {
        bytes4[] memory selectors = _selectors();
        string memory line = "";
        for (uint256 i = 0; i < selectors.length; ++i) {
            uint256 count = Counting(_target()).successes(selectors[i]);
            line = string.concat(line, i == 0 ? "" : ",", vm.toString(count));
        }
        vm.writeLine(path, line);
    }

    function _target() internal view virtual returns (address);

    /// @dev In the order of the columns of the record.
    function _selectors() internal pure virtual returns (bytes4[] memory);
}
