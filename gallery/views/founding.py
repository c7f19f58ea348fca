"""What a lead founds: a collection, and the government of its holders."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from gallery.forms.launch import CollectionForm, FoundingForm, Variant
from gallery.forms.law import LawForm, TrialForm
from gallery.views.console import REFUSALS, lead_only
from gallery.views.launch import answer, find, refuse
from gallery.views.trials import direction_strips
from generation.models import Collection
from generation.services import create_collection
from minting.services import NotDeployedError, NoVotesError, plan_contract, request_founding


@lead_only
def new_collection(request: HttpRequest) -> HttpResponse:
    """A collection with its own generator; its contract follows with its first drop."""
    form, law = CollectionForm(request.POST or None), LawForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and law.is_valid():
        try:
            collection = make(form, law)
        except REFUSALS as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{collection.name} is there. Begin with its first drop.")
            return redirect(f"{reverse('gallery:console')}?collection={collection.slug}")
    status = 400 if request.method == "POST" else 200
    context = {
        "form": form,
        "law": law,
        "trial": TrialForm(),
        "directions": direction_strips(),
        "collections": Collection.objects.order_by("name"),
    }
    return render(request, "gallery/new_collection.html", context, status=status)


@transaction.atomic
def make(form: CollectionForm, law: LawForm) -> Collection:
    given = form.cleaned_data
    collection = create_collection(
        slug=given["slug"],
        name=given["name"],
        story=given["story"],
        checkpoint=given["checkpoint"],
    )
    variant = given["contract"]
    if variant == Variant.VOTES:
        plan_contract(collection=collection, has_votes=True)
    elif variant == Variant.PAINTED:
        plan_contract(collection=collection, is_painted=True)
    elif variant == Variant.EVOLVING:
        plan_contract(collection=collection, law=law.law())
    return collection


@lead_only
@require_POST
def found(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand the treasury and the bounds of the parameters to the holders, for good."""
    drop = find(pk)
    form = FoundingForm(request.POST)
    if not form.is_valid():
        return refuse(request, drop, [form.first_error()])
    try:
        request_founding(collection=drop.collection, terms=form.terms())
    except (*REFUSALS, NoVotesError, NotDeployedError) as error:
        return refuse(request, drop, [str(error)])
    return answer(request, drop, "The founding is on its way.")
