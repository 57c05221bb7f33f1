"""Widgets that have every component of ChatKit 1.6.5."""

from chatkit.widgets import CurveType

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
TIDES = [
    {"day": "Mon", "ebb": 10, "flood": 30, "wind": 4},
    {"day": "Tue", "ebb": -5, "flood": 25, "wind": 7},
    {"day": "Wed", "ebb": 8, "flood": 32, "wind": 2},
]

CHART = {
    "type": "Chart",
    "data": TIDES,
    "xAxis": {"dataKey": "day", "labels": {"Wed": "Today"}},
    "showYAxis": True,
    "series": [
        {"type": "bar", "dataKey": "ebb", "label": "Ebb", "stack": "tide"},
        {"type": "bar", "dataKey": "flood", "label": "Flood", "stack": "tide", "color": "orange"},
        {"type": "area", "dataKey": "flood", "label": "Level", "color": "green"},
        {"type": "line", "dataKey": "wind", "label": "Wind", "curveType": "monotone"},
    ],
}
CURVES = {
    "type": "Chart",
    "data": TIDES,
    "xAxis": "day",
    "showLegend": False,
    "height": 120,
    "series": [
        {"type": "line", "dataKey": "wind", "label": kind, "curveType": kind}
        for kind in CurveType.__args__
    ],
}

EVERYTHING = {
    "type": "Card",
    "size": "lg",
    "status": {"text": "From the harbour", "favicon": PIXEL, "frame": True},
    "children": [
        {"type": "Title", "value": "The harbour", "size": "lg"},
        {"type": "Caption", "value": "Seen from the pier", "color": "secondary"},
        {"type": "Text", "value": "Boats come and go.", "weight": "medium", "minLines": 2},
        {"type": "Markdown", "value": "**Mind** the tide."},
        {
            "type": "Row",
            "gap": 2,
            "children": [
                {"type": "Badge", "label": "open", "color": "success"},
                {"type": "Icon", "name": "compass", "size": "lg"},
                {"type": "Spacer"},
                {"type": "Image", "src": PIXEL, "alt": "A boat", "size": 24, "radius": "sm"},
            ],
        },
        {"type": "Divider", "spacing": 2, "flush": True},
        {"type": "Box", "padding": 2, "children": [{"type": "Text", "value": "In a box"}]},
        {"type": "Col", "children": [{"type": "Text", "value": "In a column"}]},
        {"type": "Transition", "children": {"type": "Text", "key": "now", "value": "Now"}},
        CHART,
        CURVES,
    ],
}

CONTROLS = {
    "type": "Card",
    "theme": "dark",
    "children": [
        {
            "type": "Form",
            "onSubmitAction": {"type": "berth.ask"},
            "children": [
                {"type": "Label", "value": "Boat", "fieldName": "boat"},
                {"type": "Input", "name": "boat", "placeholder": "Its name"},
                {"type": "Label", "value": "Wishes", "fieldName": "wishes"},
                {"type": "Textarea", "name": "wishes"},
                {
                    "type": "Select",
                    "name": "pier",
                    "placeholder": "A pier",
                    "options": [
                        {"value": "1", "label": "First"},
                        {"value": "2", "label": "Second"},
                    ],
                },
                {"type": "DatePicker", "name": "on", "placeholder": "A day"},
                {"type": "Checkbox", "name": "power", "label": "With power"},
                {
                    "type": "RadioGroup",
                    "name": "side",
                    "ariaLabel": "Side",
                    "options": [
                        {"value": "port", "label": "Port"},
                        {"value": "starboard", "label": "Starboard"},
                    ],
                },
                {"type": "Button", "label": "Ask", "submit": True, "style": "primary"},
            ],
        }
    ],
    "confirm": {"label": "Confirm", "action": {"type": "berth.confirm"}},
    "cancel": {"label": "Cancel", "action": {"type": "berth.cancel"}},
}

LIST = {
    "type": "ListView",
    "limit": 1,
    "status": {"text": "Two boats", "icon": "suitcase"},
    "children": [
        {"type": "ListViewItem", "children": [{"type": "Text", "value": "Albatross"}]},
        {
            "type": "ListViewItem",
            "onClickAction": {"type": "boat.open"},
            "children": [{"type": "Text", "value": "Beagle"}],
        },
    ],
}

PLAIN = {"type": "Basic", "children": [{"type": "Text", "value": "Without a card"}]}
