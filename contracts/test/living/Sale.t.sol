// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {DropChain} from "../../src/collection/DropChain.sol";
import {Phase, PhaseKind, Phases} from "../../src/collection/Phases.sol";
import {Sale} from "../../src/collection/Sale.sol";
import {between, vm} from "../Cheats.sol";
import {LivingTest} from "./LivingTest.sol";

/// @title Phases: who may buy, when, how many, for how much
contract SaleTest is LivingTest {
    uint256 private constant SIGNER_KEY = 0x5164;
    bytes32 private constant TICKET = keccak256("ticket");

    /// @notice A public phase sells for exactly its price, in the order of the ids.
    function test_a_public_phase_sells() public {
        _open(_fixedBody(1, 10), _public(0));

        vm.deal(ALICE, 1 ether);
        vm.expectEmit(address(collection));
        emit Sale.Sold(1, 0, 2 * PRICE_WEI);
        vm.prank(ALICE);
        collection.mint{value: 2 * PRICE_WEI}(1, 0, 2);
        _buy(BOB, 1, 0, 1, PRICE_WEI);

        vm.assertEq(collection.ownerOf(2), ALICE);
        vm.assertEq(collection.ownerOf(3), BOB);
        vm.assertEq(collection.totalSupply(), 3);
        vm.assertEq(collection.lotOf(1).proceedsWei, 3 * PRICE_WEI);
    }

    /// @notice Any other payment is refused.
    function test_another_payment_is_refused(uint96 sent) public {
        vm.assume(sent != PRICE_WEI);
        _open(_fixedBody(1, 10), _public(0));
        vm.deal(ALICE, sent);

        vm.expectRevert(abi.encodeWithSelector(Sale.WrongPayment.selector, sent, PRICE_WEI));
        vm.prank(ALICE);
        collection.mint{value: sent}(1, 0, 1);
    }

    /// @notice Nothing is sold before a phase begins or from its end on.
    function test_a_phase_has_its_time() public {
        Phase memory phase = _public(0);
        phase.start = START + 10;
        _open(_fixedBody(1, 10), phase);
        vm.expectRevert(abi.encodeWithSelector(Sale.PhaseNotRunning.selector, 0, START + 10, END));
        collection.mint(1, 0, 1);

        vm.warp(START + 10);
        _buy(ALICE, 1, 0, 1, PRICE_WEI);

        vm.warp(END);
        vm.expectRevert(abi.encodeWithSelector(Sale.PhaseNotRunning.selector, 0, START + 10, END));
        collection.mint(1, 0, 1);
    }

    /// @notice Quantities are at least one, within the cap, and within what is left.
    function test_quantities_are_bounded() public {
        _open(_fixedBody(1, 21), _public(0));
        vm.expectRevert(abi.encodeWithSelector(Sale.QuantityOutOfRange.selector, 0, 20));
        collection.mint(1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(Sale.QuantityOutOfRange.selector, 21, 20));
        collection.mint(1, 0, 21);

        _buy(ALICE, 1, 0, 20, 20 * PRICE_WEI);
        vm.expectRevert(abi.encodeWithSelector(Sale.NotEnoughLeft.selector, 2, 1));
        collection.mint(1, 0, 2);
        _buy(ALICE, 1, 0, 1, PRICE_WEI);
    }

    /// @notice A wallet's cap counts over transactions, and for that wallet alone.
    function test_a_wallet_has_a_cap() public {
        _open(_fixedBody(1, 10), _public(2));
        _buy(ALICE, 1, 0, 2, 2 * PRICE_WEI);

        vm.deal(ALICE, PRICE_WEI);
        vm.expectRevert(abi.encodeWithSelector(Sale.WalletCapReached.selector, 2, 1, 2));
        vm.prank(ALICE);
        collection.mint{value: PRICE_WEI}(1, 0, 1);

        _buy(BOB, 1, 0, 2, 2 * PRICE_WEI);
        vm.assertEq(collection.boughtBy(1, 0, BOB).quantity, 2);
    }

    /// @notice A held sale sells nothing; it goes on when the owner says so.
    function test_a_sale_can_be_held() public {
        _open(_fixedBody(1, 10), _public(0));
        vm.expectEmit(address(collection));
        emit Sale.SalePaused(1, true);
        collection.pauseSale(1, true);
        vm.expectRevert(abi.encodeWithSelector(Sale.SaleIsPaused.selector, 1));
        collection.mint(1, 0, 1);

        collection.pauseSale(1, false);
        _buy(ALICE, 1, 0, 1, PRICE_WEI);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
        collection.pauseSale(1, true);
    }

    /// @notice A held sale holds nobody's money: it is withdrawn and the works are transferred as ever.
    function test_a_held_sale_traps_nothing() public {
        _open(_fixedBody(1, 10), _public(0));
        _buy(ALICE, 1, 0, 1, PRICE_WEI);
        collection.pauseSale(1, true);

        collection.withdraw(1);
        vm.prank(ALICE);
        collection.transferFrom(ALICE, BOB, 1);

        vm.assertEq(TREASURY.balance, PRICE_WEI);
        vm.assertEq(collection.ownerOf(1), BOB);
    }

    /// @notice Sales open in the order of the drops, each once, with the committed body, by the owner.
    function test_openings_are_checked() public {
        DropChain.Drop memory drop = _fixedBody(1, 10);
        Phase[] memory phases = new Phase[](1);
        phases[0] = _public(0);
        vm.expectRevert(abi.encodeWithSelector(DropChain.UnknownDrop.selector, 1));
        collection.openSale(1, drop, phases, FINAL_BY);

        collection.commitDrop(drop);
        collection.commitDrop(_fixedBody(11, 10));
        vm.expectRevert(abi.encodeWithSelector(Sale.SaleOutOfOrder.selector, 2, 1));
        collection.openSale(2, _fixedBody(11, 10), phases, FINAL_BY);
        vm.expectRevert(abi.encodeWithSelector(DropChain.NotTheCommittedDrop.selector, 1));
        collection.openSale(1, _fixedBody(11, 10), phases, FINAL_BY);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
        collection.openSale(1, drop, phases, FINAL_BY);
        vm.expectRevert(abi.encodeWithSelector(Sale.SaleNotOpen.selector, 1));
        collection.mint(1, 0, 1);

        collection.openSale(1, drop, phases, FINAL_BY);
        vm.expectRevert(abi.encodeWithSelector(Sale.SaleOutOfOrder.selector, 1, 2));
        collection.openSale(1, drop, phases, FINAL_BY);
        vm.assertEq(collection.phasesOf(1).length, 1);
    }

    /// @notice A sale opens up to the block before the reveal block, and not from it on: the owner could know the works.
    function test_a_sale_opens_before_the_reveal_block() public {
        DropChain.Drop[4] memory drops =
            [_preparedBody(1, 1, 2), _liveBody(2, 3, 2), _preparedBody(3, 5, 2), _liveBody(4, 7, 2)];
        Phase[] memory phases = new Phase[](1);
        phases[0] = _public(0);
        for (uint256 i = 0; i < 4; ++i) {
            collection.commitDrop(drops[i]);
        }
        vm.roll(REVEAL_BLOCK - 1);
        collection.openSale(1, drops[0], phases, FINAL_BY);
        collection.openSale(2, drops[1], phases, FINAL_BY);

        vm.roll(REVEAL_BLOCK);
        vm.expectRevert(abi.encodeWithSelector(DropChain.RevealBlockPast.selector, REVEAL_BLOCK, REVEAL_BLOCK));
        collection.openSale(3, drops[2], phases, FINAL_BY);
        collection.openSale(3, drops[2], new Phase[](0), FINAL_BY);
        vm.roll(REVEAL_BLOCK + 1);
        vm.expectRevert(abi.encodeWithSelector(DropChain.RevealBlockPast.selector, REVEAL_BLOCK, REVEAL_BLOCK + 1));
        collection.openSale(4, drops[3], phases, FINAL_BY);
    }

    /// @notice A drop that is late is passed over: it sells nothing and has no fate, and the next one is sold.
    function test_a_late_drop_is_passed_over() public {
        DropChain.Drop memory late = _preparedBody(1, 1, 2);
        collection.commitDrop(late);
        vm.expectRevert(abi.encodeWithSelector(Phases.PhaseCountOutOfRange.selector, 0));
        collection.openSale(1, late, new Phase[](0), FINAL_BY);
        vm.roll(REVEAL_BLOCK);

        collection.openSale(1, late, new Phase[](0), FINAL_BY);
        _buy(ALICE, _open(_fixedBody(3, 2), _public(0)), 0, 1, PRICE_WEI);

        vm.assertEq(collection.dropOf(3), 2);
        vm.assertEq(collection.totalSupply(), 1);
        vm.expectRevert(abi.encodeWithSelector(Sale.SaleNotOpen.selector, 1));
        collection.mint(1, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(DropChain.UnknownDrop.selector, 1));
        collection.capture(1);
    }

    /// @notice Phases that contradict themselves are refused, and so are none and too many.
    function test_unsound_phases_are_refused() public {
        DropChain.Drop memory drop = _fixedBody(1, 10);
        collection.commitDrop(drop);
        Phase[9] memory bad;
        for (uint256 i = 0; i < bad.length; ++i) {
            bad[i] = _public(0);
        }
        bad[0].end = bad[0].start;
        bad[1].end = FINAL_BY + 1;
        bad[2].maxPerTransaction = 0;
        bad[3].terms = keccak256("root");
        bad[4].kind = PhaseKind.Listed;
        bad[5].kind = PhaseKind.Signed;
        bad[6].kind = PhaseKind.Auction;
        bad[7] = _auction();
        bad[7].priceWei = PRICE_WEI / 11;
        bad[8].kind = PhaseKind.Signed;
        bad[8].terms = keccak256("not an address");
        for (uint256 i = 0; i < bad.length; ++i) {
            Phase[] memory phases = new Phase[](2);
            (phases[0], phases[1]) = (_public(0), bad[i]);
            vm.expectRevert(abi.encodeWithSelector(Phases.BadPhase.selector, 1));
            collection.openSale(1, drop, phases, FINAL_BY);
        }
        vm.expectRevert(abi.encodeWithSelector(Phases.PhaseCountOutOfRange.selector, 0));
        collection.openSale(1, drop, new Phase[](0), FINAL_BY);
        vm.expectRevert(abi.encodeWithSelector(Phases.PhaseCountOutOfRange.selector, 17));
        collection.openSale(1, drop, new Phase[](17), FINAL_BY);
    }

    /// @notice A list says who may have how many for how much; nobody else gets that.
    function test_an_allow_list_sells_to_those_on_it() public {
        (bytes32 root, bytes32[] memory proof) = _list();
        _open(_fixedBody(1, 10), Phase(PRICE_WEI, START, END, 20, 0, PhaseKind.Listed, root));
        vm.deal(ALICE, 1 ether);
        vm.prank(ALICE);
        collection.mintListed{value: 2 gwei}(1, 0, 2, 3, 1 gwei, proof);
        vm.assertEq(collection.balanceOf(ALICE), 2);

        vm.expectRevert(abi.encodeWithSelector(Sale.WalletCapReached.selector, 2, 2, 3));
        vm.prank(ALICE);
        collection.mintListed{value: 2 gwei}(1, 0, 2, 3, 1 gwei, proof);
        vm.expectRevert(abi.encodeWithSelector(Sale.NotListed.selector, ALICE));
        vm.prank(ALICE);
        collection.mintListed{value: 2 gwei}(1, 0, 1, 9, 1 gwei, proof);
        vm.expectRevert(abi.encodeWithSelector(Sale.NotListed.selector, BOB));
        vm.prank(BOB);
        collection.mintListed(1, 0, 1, 3, 1 gwei, proof);
        vm.expectRevert(abi.encodeWithSelector(Sale.WrongPhase.selector, 0));
        collection.mint(1, 0, 1);
    }

    /// @notice A ticket is used once, by its buyer, in its time, and no cheaper than the phase allows.
    function test_a_ticket_sells_once() public {
        address signer = vm.addr(SIGNER_KEY);
        _open(
            _fixedBody(1, 10), Phase(PRICE_WEI, START, END, 20, 0, PhaseKind.Signed, bytes32(uint256(uint160(signer))))
        );
        Sale.Ticket memory ticket = Sale.Ticket(ALICE, 1, 0, 2, PRICE_WEI, START + 5, TICKET);
        vm.deal(ALICE, 1 ether);
        bytes memory signature = _signed(ticket);

        vm.expectRevert(abi.encodeWithSelector(Sale.BadTicket.selector, TICKET));
        collection.mintSigned(ticket, signature);
        vm.prank(ALICE);
        collection.mintSigned{value: 2 * PRICE_WEI}(ticket, signature);
        vm.assertEq(collection.balanceOf(ALICE), 2);

        vm.expectRevert(abi.encodeWithSelector(Sale.TicketUsed.selector, TICKET));
        vm.prank(ALICE);
        collection.mintSigned{value: 2 * PRICE_WEI}(ticket, signature);
    }

    /// @notice A ticket that was changed, is late or too cheap buys nothing.
    function test_another_ticket_is_refused() public {
        address signer = vm.addr(SIGNER_KEY);
        _open(
            _fixedBody(1, 10), Phase(PRICE_WEI, START, END, 20, 0, PhaseKind.Signed, bytes32(uint256(uint160(signer))))
        );
        Sale.Ticket memory ticket = Sale.Ticket(ALICE, 1, 0, 2, PRICE_WEI, START + 5, TICKET);
        bytes memory signature = _signed(ticket);
        vm.deal(ALICE, 1 ether);

        ticket.quantity = 3;
        vm.expectRevert(abi.encodeWithSelector(Sale.WrongSignature.selector, TICKET));
        vm.prank(ALICE);
        collection.mintSigned{value: 3 * PRICE_WEI}(ticket, signature);

        ticket.quantity = 2;
        ticket.priceWei = PRICE_WEI - 1;
        signature = _signed(ticket);
        vm.expectRevert(abi.encodeWithSelector(Sale.BadTicket.selector, TICKET));
        vm.prank(ALICE);
        collection.mintSigned{value: 2 * (PRICE_WEI - 1)}(ticket, signature);

        ticket.priceWei = PRICE_WEI;
        signature = _signed(ticket);
        vm.warp(START + 6);
        vm.expectRevert(abi.encodeWithSelector(Sale.BadTicket.selector, TICKET));
        vm.prank(ALICE);
        collection.mintSigned{value: 2 * PRICE_WEI}(ticket, signature);
    }

    /// @notice A phase that is not there, or sells in another way, sells nothing.
    function test_a_phase_sells_in_its_own_way() public {
        _open(_fixedBody(1, 10), _public(0));
        bytes32[] memory none = new bytes32[](0);

        vm.expectRevert(abi.encodeWithSelector(Sale.WrongPhase.selector, 1));
        collection.mint(1, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(Sale.WrongPhase.selector, 0));
        collection.mintListed(1, 0, 1, 1, 1, none);
        vm.expectRevert(abi.encodeWithSelector(Sale.WrongPhase.selector, 0));
        collection.mintSigned(Sale.Ticket(address(this), 1, 0, 1, PRICE_WEI, END, TICKET), "");
        vm.expectRevert(abi.encodeWithSelector(Sale.WrongPhase.selector, 0));
        collection.settle(1, 0);
    }

    /// @notice Money goes to the treasury once the drop is final, once.
    function test_proceeds_are_withdrawn_when_final() public {
        DropChain.Drop memory drop = _preparedBody(1, 1, 10);
        _open(drop, _public(0));
        _buy(ALICE, 1, 0, 3, 3 * PRICE_WEI);
        vm.expectRevert(abi.encodeWithSelector(Sale.NotFinal.selector, 1));
        collection.withdraw(1);

        _capture(1);
        collection.reveal(1, drop, SECRET);
        vm.expectEmit(address(collection));
        emit Sale.Withdrawn(1, TREASURY, 3 * PRICE_WEI);
        collection.withdraw(1);
        collection.withdraw(1);

        vm.assertEq(TREASURY.balance, 3 * PRICE_WEI);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
        collection.withdraw(1);
    }

    /// @notice The treasury is any address but zero and the collection, and the owner's to name.
    function test_the_treasury_is_checked() public {
        vm.expectEmit(address(collection));
        emit Sale.TreasuryChanged(BOB);
        collection.setTreasury(BOB);
        vm.assertEq(collection.treasury(), BOB);

        vm.expectRevert(abi.encodeWithSelector(Sale.InvalidTreasury.selector, address(0)));
        collection.setTreasury(address(0));
        vm.expectRevert(abi.encodeWithSelector(Sale.InvalidTreasury.selector, address(collection)));
        collection.setTreasury(address(collection));
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, ALICE));
        vm.prank(ALICE);
        collection.setTreasury(ALICE);
    }

    /// @notice The search for a work's drop finds what counting up finds.
    function test_drop_of_agrees_with_counting(uint256[6] calldata counts) public {
        uint256 next = 1;
        for (uint256 i = 0; i < counts.length; ++i) {
            uint256 count = between(counts[i], 1, 5);
            _buy(ALICE, _open(_fixedBody(next, count), _public(0)), 0, count, count * PRICE_WEI);
            next += count;
        }

        uint256 tokenId = 1;
        for (uint256 drop = 1; drop <= counts.length; ++drop) {
            for (uint256 i = 0; i < between(counts[drop - 1], 1, 5); ++i) {
                vm.assertEq(collection.dropOf(tokenId++), drop);
            }
        }
    }

    /// @dev A list of Alice, who may have 3 for 1 gwei, and somebody else; its root, and Alice's proof.
    function _list() private pure returns (bytes32 root, bytes32[] memory proof) {
        bytes32 alice = keccak256(bytes.concat(keccak256(abi.encode(ALICE, 3, 1 gwei))));
        proof = new bytes32[](1);
        proof[0] = keccak256(bytes.concat(keccak256(abi.encode(address(1), 1, 1))));
        root = alice < proof[0] ? keccak256(bytes.concat(alice, proof[0])) : keccak256(bytes.concat(proof[0], alice));
    }

    function _signed(Sale.Ticket memory ticket) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNER_KEY, collection.ticketDigest(ticket));
        return bytes.concat(r, s, bytes1(v));
    }
}
