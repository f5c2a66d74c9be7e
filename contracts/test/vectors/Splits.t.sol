// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Terms} from "../../src/Agreement.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// @notice The contract pays exactly what the vectors prescribe for every implementation, charge by charge.
contract SplitsTest is World {
    string private constant VECTORS = "../tests/vectors/split.json";

    function test_TheContractPaysWhatTheVectorsSay() public {
        string memory json = vm.readFile(VECTORS);
        uint256 count = 0;
        while (vm.keyExistsJson(json, _at(count))) {
            _check(json, _at(count));
            ++count;
        }
        vm.assertGt(count, 0, "vectors");
    }

    function _check(string memory json, string memory path) private {
        Terms memory t = _terms();
        t.amounts = _numbers(json, string.concat(path, ".amounts"));
        t.receivers = new address[](t.amounts.length);
        uint256 total = 0;
        for (uint256 i = 0; i < t.amounts.length; ++i) {
            t.receivers[i] = address(uint160(uint256(keccak256(abi.encode(path, i)))));
            total += t.amounts[i];
        }
        _fund(CONSUMER, total);
        _open(t);
        uint256[] memory charges = _numbers(json, string.concat(path, ".charges"));
        for (uint256 slice = 0; slice < charges.length; ++slice) {
            uint256[] memory paid = _numbers(json, string.concat(path, ".paid[", vm.toString(slice), "]"));
            _checkSlice(t, uint32(slice), charges[slice], paid);
        }
    }

    function _checkSlice(Terms memory t, uint32 slice, uint256 charge, uint256[] memory paid) private {
        uint256[] memory before = new uint256[](paid.length);
        for (uint256 i = 0; i < paid.length; ++i) {
            before[i] = token.balanceOf(t.receivers[i]);
        }
        _settle(t, _charge(slice, charge));
        for (uint256 i = 0; i < paid.length; ++i) {
            vm.assertEq(token.balanceOf(t.receivers[i]) - before[i], paid[i], "what a receiver gets of a slice");
        }
    }

    function _at(uint256 i) private pure returns (string memory) {
        return string.concat(".[", vm.toString(i), "]");
    }

    function _numbers(string memory json, string memory path) private pure returns (uint256[] memory numbers) {
        string[] memory texts = vm.parseJsonStringArray(json, path);
        numbers = new uint256[](texts.length);
        for (uint256 i = 0; i < texts.length; ++i) {
            numbers[i] = vm.parseUint(texts[i]);
        }
    }
}
