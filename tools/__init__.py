"""Commands that a person calls beside DVC."""

from study.interrupts import end_at_once

end_at_once()
