// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

import {
    Agreement,
    Condition,
    ConditionState,
    Item,
    Permit,
    Settlement,
    Terms
} from "../../src/Agreement.sol";
import {DIDRegistry} from "../../src/DIDRegistry.sol";
import {NeverminedToken} from "../../src/NeverminedToken.sol";
import {ServiceExecutionTemplate} from "../../src/ServiceExecutionTemplate.sol";
import {TemplateStoreManager} from "../../src/TemplateStoreManager.sol";
import {Deployed} from "./Deployed.sol";
import {vm} from "./Vm.sol";

/// @notice A deployment with accounts, and helpers that bring an agreement into each of its states.
///
/// The data owner owns an asset that the gateway provides. The price is 7 for the owner and 3 for the gateway, which is
/// the provider of the agreements.
abstract contract World {
    uint256 internal constant CONSUMER_KEY = 0xC0;
    uint256 internal constant GATEWAY_KEY = 0x6A;
    address internal immutable CONSUMER = vm.addr(CONSUMER_KEY);
    address internal immutable GATEWAY = vm.addr(GATEWAY_KEY);
    address internal immutable OWNER = vm.addr(0x0111);
    address internal constant STRANGER = address(0x0222);
    address internal constant ADMIN = address(0x0333);

    uint256 internal constant PRICE = 10 ether;
    uint256 internal constant START = 1_700_000_000;
    bytes32 internal constant RECEIPT = keccak256("receipt");

    IERC20 internal token;
    DIDRegistry internal registry;
    TemplateStoreManager internal templates;
    ServiceExecutionTemplate internal template;
    bytes32 internal did;
    uint256 private _seeds;

    function setUp() public virtual {
        vm.warp(START);
        vm.label(CONSUMER, "consumer");
        vm.label(GATEWAY, "gateway");
        vm.label(OWNER, "owner");
        vm.label(STRANGER, "stranger");
        token = _deployToken();
        registry = Deployed.registry();
        templates = Deployed.templates(ADMIN);
        template = _deployTemplate();
        did = _registerAsset("asset");
        _fund(CONSUMER, 1_000_000 ether);
    }

    // -- deployment ---------------------------------------------------------------------------------------------------

    function _deployToken() internal virtual returns (IERC20) {
        return Deployed.token(ADMIN);
    }

    function _deployTemplate() internal returns (ServiceExecutionTemplate deployed) {
        deployed = Deployed.template(token, registry, templates);
        templates.proposeTemplate(address(deployed));
        vm.prank(ADMIN);
        templates.approveTemplate(address(deployed));
    }

    function _registerAsset(bytes32 didSeed) internal returns (bytes32) {
        address[] memory providers = new address[](1);
        providers[0] = GATEWAY;
        vm.prank(OWNER);
        return registry.registerAttribute(didSeed, keccak256("inputs"), providers, "https://metadata/{did}");
    }

    /// @dev Gives tokens to a consumer and lets the escrow take any amount of them.
    function _fund(address who, uint256 amount) internal virtual {
        vm.prank(ADMIN);
        NeverminedToken(address(token)).mint(who, amount);
        vm.prank(who);
        token.approve(address(template), type(uint256).max);
    }

    // -- documents ----------------------------------------------------------------------------------------------------

    function _terms() internal returns (Terms memory t) {
        t.seed = keccak256(abi.encode("seed", ++_seeds));
        t.did = did;
        t.inputsHash = keccak256("inputs");
        t.workflowId = keccak256("workflow");
        t.workflowHash = keccak256("workflow document");
        t.consumer = CONSUMER;
        t.provider = GATEWAY;
        t.serviceIndex = 2;
        t.deadline = uint40(_now() + 600);
        t.grantTimeout = 600;
        t.timeout = 86_400;
        t.settleTimeout = 7_200;
        t.amounts = new uint256[](2);
        t.amounts[0] = 3 ether;
        t.amounts[1] = 7 ether;
        t.receivers = new address[](2);
        t.receivers[0] = GATEWAY;
        t.receivers[1] = OWNER;
    }

    function _freeTerms() internal returns (Terms memory t) {
        t = _terms();
        t.amounts = new uint256[](0);
        t.receivers = new address[](0);
    }

    function _charge(uint32 index, uint256 amount) internal pure returns (Settlement memory) {
        return Settlement({index: index, charge: uint128(amount), receiptHash: RECEIPT, last: false});
    }

    function _lastCharge(uint32 index, uint256 amount) internal pure returns (Settlement memory) {
        return Settlement({index: index, charge: uint128(amount), receiptHash: RECEIPT, last: true});
    }

    function _giveBack(uint32 index) internal pure returns (Settlement memory) {
        return Settlement({index: index, charge: 0, receiptHash: 0, last: true});
    }

    function _item(Terms memory t, Settlement memory s) internal pure returns (Item memory item) {
        item.terms = t;
        item.settlements = new Settlement[](1);
        item.settlements[0] = s;
    }

    function _noPermit() internal pure returns (Permit memory permit) {}

    // -- signatures ---------------------------------------------------------------------------------------------------

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _signTerms(uint256 key, Terms memory t) internal view returns (bytes memory) {
        return _sign(key, template.agreementId(t));
    }

    function _signPermit(uint256 key, uint256 value, uint256 deadline) internal view returns (Permit memory permit) {
        address owner = vm.addr(key);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                address(template),
                value,
                IERC20Permit(address(token)).nonces(owner),
                deadline
            )
        );
        bytes32 domain = IERC20Permit(address(token)).DOMAIN_SEPARATOR();
        permit.value = value;
        permit.deadline = deadline;
        (permit.v, permit.r, permit.s) = vm.sign(key, keccak256(abi.encodePacked("\x19\x01", domain, structHash)));
    }

    // -- states -------------------------------------------------------------------------------------------------------

    function _create(Terms memory t) internal returns (bytes32 id) {
        vm.prank(t.consumer);
        return template.createAgreement(t, "");
    }

    function _lock(Terms memory t) internal returns (bytes32 id) {
        vm.prank(t.consumer);
        return template.createAgreementAndLock(t, "", _noPermit());
    }

    function _grant(Terms memory t) internal {
        vm.prank(t.provider);
        template.fulfill(t, t.did, t.consumer);
    }

    function _open(Terms memory t) internal returns (bytes32 id) {
        id = _lock(t);
        _grant(t);
    }

    function _settle(Terms memory t, Settlement memory s) internal {
        vm.prank(t.provider);
        template.fulfill(t, s, "");
    }

    function _paid(Terms memory t) internal returns (bytes32 id) {
        id = _open(t);
        _settle(t, _charge(0, PRICE));
    }

    function _closed(Terms memory t) internal returns (bytes32 id) {
        id = _open(t);
        _settle(t, _lastCharge(0, PRICE / 2));
    }

    function _refunded(Terms memory t) internal returns (bytes32 id) {
        id = _lock(t);
        vm.prank(t.provider);
        template.refuse(t);
    }

    function _cancelled(Terms memory t) internal returns (bytes32 id) {
        id = _create(t);
        vm.prank(t.consumer);
        template.cancel(t);
    }

    // -- questions ----------------------------------------------------------------------------------------------------

    /// @dev The optimiser treats block.timestamp as a constant of the test, so forge is asked for the time.
    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function _split(uint256 gateway, uint256 owner) internal pure returns (uint256[] memory amounts) {
        amounts = new uint256[](2);
        amounts[0] = gateway;
        amounts[1] = owner;
    }

    function _assertStates(bytes32 id, uint8 lock, uint8 compute, uint8 escrow) internal view {
        Agreement memory a = template.getAgreement(id);
        vm.assertEq(uint256(a.lockReward), lock, "state of the lock");
        vm.assertEq(uint256(a.computeExecution), compute, "state of the grant");
        vm.assertEq(uint256(a.escrowReward), escrow, "state of the escrow");
    }

    function _assertBalances(uint256 gateway, uint256 owner, uint256 escrow) internal view {
        vm.assertEq(token.balanceOf(GATEWAY), gateway, "balance of the gateway");
        vm.assertEq(token.balanceOf(OWNER), owner, "balance of the owner");
        vm.assertEq(token.balanceOf(address(template)), escrow, "balance of the escrow");
    }

    function _bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }
}
