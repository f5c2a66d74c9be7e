// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DIDRegistry} from "../../src/DIDRegistry.sol";
import {Registration, Update} from "../../src/RegistryRequests.sol";
import {Deployed} from "../support/Deployed.sol";
import {Requests} from "../support/Requests.sol";
import {vm} from "../support/Vm.sol";

/// @notice Three people with an asset each, who call and sign whatever they like, and a stranger who keeps every request
/// that was ever signed and sends it again at any time. Each call predicts whether it will succeed.
contract RegistryHandler {
    uint256 private constant PEOPLE = 3;
    uint256 private constant KEY = 0xA11CE;

    /// @dev A signed request, and what has to hold for it to do anything.
    struct Request {
        bytes data;
        uint256 asset;
        address signer;
        uint256 deadline;
        uint256 needed;
        Kind kind;
        address account;
        bool allowed;
        bytes32 checksum;
    }

    enum Kind {
        Register,
        Update,
        Transfer,
        Provider
    }

    /// @dev What the registry should say of an asset.
    struct Asset {
        bytes32 did;
        bytes32 seed;
        address owner;
        uint256 version;
        uint256 changes;
        uint256 blockNumber;
        bytes32 checksum;
    }

    DIDRegistry private immutable registry;
    Asset[PEOPLE] private assets;
    Request[] private requests;
    mapping(uint256 asset => mapping(address account => bool)) private provides;

    /// @notice How often each call succeeded.
    mapping(bytes4 selector => uint256) public successes;

    constructor() {
        vm.roll(100);
        registry = Deployed.registry();
        for (uint256 i = 0; i < PEOPLE; ++i) {
            assets[i].seed = bytes32(i);
            assets[i].did = registry.hashDID(bytes32(i), _person(i));
        }
    }

    // -- calls of owners and others -----------------------------------------------------------------------------------

    function register(uint256 which) external {
        uint256 i = which % PEOPLE;
        bytes memory data =
            abi.encodeCall(registry.registerAttribute, (assets[i].seed, _checksum(which), _providers(which), "https://a"));
        if (_call(_person(i), data, assets[i].owner == address(0))) _onRegister(i, _checksum(which), which);
    }

    function update(uint256 which, uint256 who) external {
        Asset storage asset = assets[which % PEOPLE];
        bytes memory data = abi.encodeCall(registry.updateAttribute, (asset.did, _checksum(which), "https://b"));
        if (_call(_person(who), data, _owns(asset, who))) _onUpdate(asset, _checksum(which));
    }

    function transfer(uint256 which, uint256 who, uint256 to) external {
        Asset storage asset = assets[which % PEOPLE];
        bytes memory data = abi.encodeCall(registry.transferDIDOwnership, (asset.did, _person(to)));
        if (_call(_person(who), data, _owns(asset, who))) _onTransfer(asset, _person(to));
    }

    function setProvider(uint256 which, uint256 who, uint256 account, bool allowed) external {
        Asset storage asset = assets[which % PEOPLE];
        bytes memory data = allowed
            ? abi.encodeCall(registry.addDIDProvider, (asset.did, _person(account)))
            : abi.encodeCall(registry.removeDIDProvider, (asset.did, _person(account)));
        if (_call(_person(who), data, _owns(asset, who))) _onProvider(which % PEOPLE, _person(account), allowed);
    }

    // -- signed requests ----------------------------------------------------------------------------------------------

    function signRegistration(uint256 which, uint256 validity) external {
        uint256 i = which % PEOPLE;
        (Request storage request, uint256 key) = _request(i, i, validity, Kind.Register);
        request.checksum = _checksum(which);
        request.needed = which;
        Registration memory item = Registration(assets[i].seed, request.checksum, _providers(which), "https://a");
        bytes memory signature = Requests.registrations(registry, key, Requests.one(item), request.deadline);
        request.data = abi.encodeCall(
            registry.registerAttributesBySignature,
            (request.signer, Requests.one(item), request.deadline, signature)
        );
        ++successes[msg.sig];
    }

    function signUpdate(uint256 which, uint256 who, uint256 validity, uint256 ahead) external {
        uint256 i = which % PEOPLE;
        (Request storage request, uint256 key) = _request(i, who, validity, Kind.Update);
        request.checksum = _checksum(which);
        request.needed = assets[i].version + ahead % 3;
        Update memory item = Update(assets[i].did, request.checksum, "https://b", request.needed);
        bytes memory signature = Requests.updates(registry, key, Requests.one(item), request.deadline);
        request.data = abi.encodeCall(
            registry.updateAttributesBySignature, (request.signer, Requests.one(item), request.deadline, signature)
        );
        ++successes[msg.sig];
    }

    function signTransfer(uint256 which, uint256 who, uint256 to, uint256 validity, uint256 ahead) external {
        uint256 i = which % PEOPLE;
        (Request storage request, uint256 key) = _request(i, who, validity, Kind.Transfer);
        request.account = _person(to);
        request.needed = assets[i].changes + ahead % 2;
        (uint256 needed, uint256 deadline) = (request.needed, request.deadline);
        bytes memory signature = Requests.transfer(registry, key, assets[i].did, request.account, needed, deadline);
        request.data = abi.encodeCall(
            registry.transferDIDOwnershipBySignature,
            (assets[i].did, request.account, needed, deadline, signature)
        );
        ++successes[msg.sig];
    }

    function signProvider(uint256 which, uint256 who, uint256 account, bool allowed, uint256 validity) external {
        uint256 i = which % PEOPLE;
        (Request storage request, uint256 key) = _request(i, who, validity, Kind.Provider);
        (request.account, request.allowed, request.needed) = (_person(account), allowed, assets[i].changes);
        bytes memory signature = Requests.provider(
            registry, key, assets[i].did, request.account, allowed, request.needed, request.deadline
        );
        request.data = abi.encodeCall(
            registry.setDIDProviderBySignature,
            (assets[i].did, request.account, allowed, request.needed, request.deadline, signature)
        );
        ++successes[msg.sig];
    }

    /// @notice Sends a request, new or old: it does what its signer could do now, and nothing otherwise.
    function send(uint256 pick) external {
        if (requests.length == 0) return;
        Request storage request = requests[pick & 1 == 0 ? requests.length - 1 : pick % requests.length];
        Asset storage asset = assets[request.asset];
        bool inTime = block.timestamp <= request.deadline;
        if (request.kind == Kind.Register) {
            bool free = asset.owner == address(0);
            bool done = !free && asset.checksum == request.checksum;
            bool sent = _call(address(0xbad), request.data, inTime && (free || done));
            if (sent && free) _onRegister(request.asset, request.checksum, request.needed);
            return;
        }
        bool owned = asset.owner != address(0) && asset.owner == request.signer;
        if (request.kind == Kind.Update) {
            bool next = request.needed == asset.version + 1;
            if (_call(address(0xbad), request.data, inTime && owned && next)) _onUpdate(asset, request.checksum);
            return;
        }
        bool unchanged = request.needed == asset.changes;
        if (!_call(address(0xbad), request.data, inTime && owned && unchanged)) return;
        if (request.kind == Kind.Transfer) _onTransfer(asset, request.account);
        else _onProvider(request.asset, request.account, request.allowed);
    }

    /// @notice Lets time and blocks pass.
    function pass(uint256 duration) external {
        vm.warp(vm.getBlockTimestamp() + duration % 2000);
        vm.roll(vm.getBlockNumber() + 1 + duration % 3);
        ++successes[msg.sig];
    }

    // -- what has to hold ---------------------------------------------------------------------------------------------

    /// @notice The registry says of every asset what its owners did, and nothing else.
    function assertAssets() external view {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            Asset storage asset = assets[i];
            DIDRegistry.Register memory found = registry.getDIDRegister(asset.did);
            vm.assertEq(found.owner, asset.owner);
            vm.assertEq(found.checksum, asset.checksum, "checksum");
            vm.assertEq(uint256(found.version), asset.version, "version");
            vm.assertEq(uint256(found.changes), asset.changes, "changes");
            vm.assertEq(uint256(found.blockNumber), asset.blockNumber, "block");
            for (uint256 j = 0; j < PEOPLE; ++j) {
                bool expected = asset.owner == _person(j) || provides[i][_person(j)];
                vm.assertEq(registry.isDIDProvider(asset.did, _person(j)), expected, "provider");
            }
        }
    }

    // -- the model ----------------------------------------------------------------------------------------------------

    function _onRegister(uint256 i, bytes32 checksum, uint256 which) private {
        assets[i].owner = _person(i);
        provides[i][_providers(which)[0]] = true;
        _onUpdate(assets[i], checksum);
    }

    function _onUpdate(Asset storage asset, bytes32 checksum) private {
        (asset.checksum, asset.blockNumber) = (checksum, vm.getBlockNumber());
        ++asset.version;
    }

    function _onTransfer(Asset storage asset, address to) private {
        asset.owner = to;
        ++asset.changes;
    }

    function _onProvider(uint256 i, address account, bool allowed) private {
        if (provides[i][account] == allowed) return;
        provides[i][account] = allowed;
        ++assets[i].changes;
    }

    function _request(uint256 i, uint256 who, uint256 validity, Kind kind)
        private
        returns (Request storage request, uint256 key)
    {
        key = KEY + who % PEOPLE;
        request = requests.push();
        (request.asset, request.signer, request.kind) = (i, vm.addr(key), kind);
        request.deadline = vm.getBlockTimestamp() + validity % 10_000;
    }

    function _call(address sender, bytes memory data, bool expected) private returns (bool done) {
        vm.prank(sender);
        (done,) = address(registry).call(data);
        vm.assertEq(done, expected, "the call");
        if (done) ++successes[msg.sig];
    }

    function _owns(Asset storage asset, uint256 who) private view returns (bool) {
        return asset.owner == _person(who);
    }

    function _person(uint256 who) private pure returns (address) {
        return vm.addr(KEY + who % PEOPLE);
    }

    function _providers(uint256 which) private pure returns (address[] memory providers) {
        providers = new address[](1);
        providers[0] = _person(which >> 8);
    }

    /// @dev One of four, so that a registration meets the same document now and then.
    function _checksum(uint256 which) private pure returns (bytes32) {
        return keccak256(abi.encode(which & 3));
    }
}
